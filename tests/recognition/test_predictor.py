import numpy as np
import pytest
from PIL import Image

from kanji_tui.data.dataset import open_dataset
from kanji_tui.errors import KanjiError
from kanji_tui.recognition.ink import fit_to_frame, ink_box, measure_extent
from kanji_tui.recognition.predictor import predict, read_ink


def drawing(height: int = 60, width: int = 80) -> np.ndarray:
    """Ink 0-255, high: an L from (20, 10) to (50, 40)."""
    ink = np.zeros((height, width), np.uint8)
    ink[10:40, 20:26] = 255
    ink[34:40, 20:50] = 255
    return ink


def test_dark_and_light_ink_are_found(tmp_path):
    Image.fromarray(255 - drawing()).save(tmp_path / "dark.png")
    Image.fromarray(drawing()).save(tmp_path / "light.png")
    for name in ("dark.png", "light.png"):
        assert np.allclose(read_ink(tmp_path / name), drawing() / 255), name


def test_ink_that_touches_the_border_is_found(tmp_path):
    ink = drawing()
    ink[:, :4] = 255
    Image.fromarray(255 - ink).save(tmp_path / "touching.png")
    assert np.allclose(read_ink(tmp_path / "touching.png"), ink / 255)


def test_invert_swaps_ink_and_paper(tmp_path):
    Image.fromarray(drawing()).save(tmp_path / "light.png")
    assert np.allclose(read_ink(tmp_path / "light.png", invert=True), 1 - drawing() / 255)


@pytest.mark.parametrize("ink_level", [0, 255])
def test_transparent_pixels_are_paper(tmp_path, ink_level):
    level = np.full_like(drawing(), ink_level)
    Image.fromarray(np.stack([level, level, level, drawing()], -1), "RGBA").save(tmp_path / "clear.png")
    assert np.allclose(read_ink(tmp_path / "clear.png"), drawing() / 255)


@pytest.mark.parametrize("mode", ["RGB", "P", "1", "LA"])
def test_every_image_mode_is_read(tmp_path, mode):
    Image.fromarray(255 - drawing()).convert(mode).save(tmp_path / "image.png")
    assert np.allclose(read_ink(tmp_path / "image.png"), drawing() / 255, atol=0.01)


def test_16_bit_images_are_read(tmp_path):
    Image.fromarray(drawing().astype(np.uint16) * 257).save(tmp_path / "deep.png")
    assert np.allclose(read_ink(tmp_path / "deep.png"), drawing() / 255, atol=0.01)


def test_unreadable_blank_and_missing_files_are_refused(tmp_path):
    (tmp_path / "words.png").write_text("no image")
    Image.new("L", (30, 30), 200).save(tmp_path / "blank.png")
    with pytest.raises(KanjiError, match=r"words\.png cannot be read as an image"):
        read_ink(tmp_path / "words.png")
    with pytest.raises(KanjiError, match=r"blank\.png is blank"):
        read_ink(tmp_path / "blank.png")
    with pytest.raises(KanjiError, match="there is no image"):
        read_ink(tmp_path / "missing.png")


@pytest.mark.parametrize("size", [32, 64, 128])
def test_ink_is_centred_and_scaled_with_its_proportions(size):
    tall = np.zeros((200, 90), np.float32)
    tall[150:190, 5:25] = 0.6
    fitted = fit_to_frame(tall, size, 0.75)
    assert fitted.shape == (size, size)
    assert fitted.max() == 255
    left, top, right, bottom = ink_box(fitted)
    assert bottom - top == pytest.approx(0.75 * size, abs=1)
    assert right - left == pytest.approx(0.375 * size, abs=1)
    assert left + right == pytest.approx(size, abs=1)
    assert top + bottom == pytest.approx(size, abs=1)


def test_faint_paper_becomes_zero():
    ink = np.full((50, 50), 0.05, np.float32)
    ink[20:30, 20:30] = 1
    assert fit_to_frame(ink, 64, 0.5)[0, 0] == 0


def test_the_extent_is_the_median_of_the_images():
    images = np.zeros((3, 40, 40), np.uint8)
    for number, side in enumerate((10, 20, 30)):
        images[number, :side, :4] = 200
    assert measure_extent(images) == 0.5
    assert ink_box(np.zeros((8, 8))) is None


def test_image_files_of_either_polarity_are_recognised(trained, tmp_path, report):
    dataset = open_dataset(trained.data_dir)
    paths, truths = [], []
    for number in range(0, len(dataset), 5):
        image = dataset.images([number])[0]
        canvas = np.zeros((150, 200), np.uint8)
        canvas[20:116, 60:156] = np.asarray(Image.fromarray(image).resize((96, 96)))
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(255 - canvas if number % 2 else canvas).save(paths[-1])
        truths.append(f"{dataset.jis[number]:04X}")
    found = predict(tuple(paths), trained.model_path, False, report)
    assert [prediction.path for prediction in found.predictions] == [str(path) for path in paths]
    first = [prediction.candidates[0].jis for prediction in found.predictions]
    accuracy = np.mean([a == b for a, b in zip(first, truths, strict=True)])
    expected = np.mean(_correct_on_dataset(trained, dataset))
    assert accuracy > expected - 0.1  # nearly as on the prepared images
    probabilities = [c.probability for c in found.predictions[0].candidates]
    assert probabilities == sorted(probabilities, reverse=True)
    assert len(probabilities) == 5


def _correct_on_dataset(trained, dataset):
    from kanji_tui.recognition.models import open_model

    numbers = list(range(0, len(dataset), 5))
    model = open_model(trained.model_path)
    best = model.logits(dataset.images(numbers)).argmax(1)
    return [model.card.classes[index] == dataset.jis[n] for index, n in zip(best, numbers, strict=True)]

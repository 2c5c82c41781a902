import json

import numpy as np
import pytest
from PIL import Image

from kanji_tui.characters.readings import readings_of
from kanji_tui.cli import main
from kanji_tui.data.dataset import open_dataset
from kanji_tui.errors import KanjiError
from kanji_tui.recognition.ink import fit_to_frame, ink_box, measure_extent
from kanji_tui.recognition.models import open_model
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
        assert np.allclose(read_ink(tmp_path / name).ink, drawing() / 255), name


def test_ink_that_touches_the_border_is_found(tmp_path):
    ink = drawing()[10:40, 20:50]
    Image.fromarray(255 - ink).save(tmp_path / "touching.png")
    assert np.allclose(read_ink(tmp_path / "touching.png").ink, ink / 255)


def test_invert_takes_the_light_structures_for_ink_where_the_dark_ones_were_found(tmp_path):
    stripes = np.full((60, 80), 255, np.uint8)
    stripes[10:50, 10:70:8] = stripes[10:50, 11:70:8] = stripes[10:50, 12:70:8] = 0
    Image.fromarray(stripes).save(tmp_path / "stripes.png")
    dark, light = (read_ink(tmp_path / "stripes.png", invert).ink for invert in (False, True))
    assert dark[30, 11] == light[30, 14] == 1
    assert dark[30, 14] == light[30, 11] == 0


@pytest.mark.parametrize("ink_level", [0, 255])
def test_transparent_pixels_are_paper(tmp_path, ink_level):
    level = np.full_like(drawing(), ink_level)
    Image.fromarray(np.stack([level, level, level, drawing()], -1), "RGBA").save(tmp_path / "clear.png")
    assert np.allclose(read_ink(tmp_path / "clear.png").ink, drawing() / 255)


@pytest.mark.parametrize("mode", ["RGB", "P", "1", "LA"])
def test_every_image_mode_is_read(tmp_path, mode):
    Image.fromarray(255 - drawing()).convert(mode).save(tmp_path / "image.png")
    assert np.allclose(read_ink(tmp_path / "image.png").ink, drawing() / 255, atol=0.01)


def test_16_bit_images_are_read(tmp_path):
    Image.fromarray(drawing().astype(np.uint16) * 257).save(tmp_path / "deep.png")
    assert np.allclose(read_ink(tmp_path / "deep.png").ink, drawing() / 255, atol=0.01)


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
    found = predict(tuple(paths), trained.model_path, False, False, report)
    assert [prediction.path for prediction in found.predictions] == [str(path) for path in paths]
    first = [prediction.candidates[0].jis for prediction in found.predictions]
    accuracy = np.mean([a == b for a, b in zip(first, truths, strict=True)])
    expected = np.mean(_correct_on_dataset(trained, dataset))
    assert accuracy > expected - 0.1  # nearly as on the prepared images
    probabilities = [c.probability for c in found.predictions[0].candidates]
    assert probabilities == sorted(probabilities, reverse=True)
    assert len(probabilities) == 5


def _correct_on_dataset(trained, dataset):
    numbers = list(range(0, len(dataset), 5))
    model = open_model(trained.model_path)
    best = model.logits(dataset.images(numbers)).argmax(1)
    return [model.card.classes[index] == dataset.jis[n] for index, n in zip(best, numbers, strict=True)]


def write_sample(trained, path, number: int = 0) -> str:
    """A sample of the dataset as an image file, dark on light; returns its JIS code."""
    dataset = open_dataset(trained.data_dir)
    image = Image.fromarray(255 - dataset.images([number])[0]).resize((96, 96))
    canvas = Image.new("L", (200, 150), 255)
    canvas.paste(image, (60, 20))
    canvas.save(path)
    return f"{dataset.jis[number]:04X}"


def run_predict(trained, capsys, *arguments) -> tuple[int, dict, str]:
    code = main(["predict", "--model-path", str(trained.model_path), *map(str, arguments), "--json"])
    printed = capsys.readouterr()
    return code, json.loads(printed.out), printed.err


def test_an_unreadable_image_is_reported_in_its_place_and_the_others_are_answered(trained, tmp_path, capsys):
    write_sample(trained, tmp_path / "a.png")
    (tmp_path / "b.png").write_text("no image")
    Image.new("L", (30, 30), 200).save(tmp_path / "c.png")
    write_sample(trained, tmp_path / "d.png", 7)
    paths = [tmp_path / f"{name}.png" for name in "abcd"]
    code, answer, _ = run_predict(trained, capsys, *paths)
    assert code == 1
    assert "error" not in answer
    assert [one["path"] for one in answer["predictions"]] == [str(path) for path in paths]
    first, second, third, fourth = answer["predictions"]
    assert len(first["candidates"]) == len(fourth["candidates"]) == 5
    assert first["candidates"][0]["readings"] == list(readings_of(first["candidates"][0]["character"])) != []
    assert "doubtful" not in first
    assert "candidates" not in second
    assert second["error"]["code"] == 1
    assert "PNG" in second["error"]["remedy"]
    assert "is blank" in third["error"]["message"]


def test_if_no_image_can_be_answered_the_command_fails_too(trained, tmp_path, capsys):
    code, answer, stderr = run_predict(trained, capsys, tmp_path / "missing.png", tmp_path / "neither.png")
    assert code == 1
    assert [one["error"]["message"][:17] for one in answer["predictions"]] == ["there is no image"] * 2
    assert "none of the 2 images" in answer["error"]["message"]
    assert answer["error"]["message"] in " ".join(stderr.split())


def test_a_doubtful_image_says_so(trained, tmp_path, capsys):
    write_sample(trained, tmp_path / "small.png")
    Image.open(tmp_path / "small.png").resize((26, 20)).save(tmp_path / "small.png")
    code, answer, _ = run_predict(trained, capsys, tmp_path / "small.png")
    assert code == 0
    assert "pixels large" in answer["predictions"][0]["doubtful"]


def test_show_prints_the_image_that_the_model_gets(trained, tmp_path, capsys):
    write_sample(trained, tmp_path / "a.png")
    _, answer, _ = run_predict(trained, capsys, tmp_path / "a.png", "--show")
    rows = [bytes.fromhex(row) for row in answer["predictions"][0]["image"]]
    model = open_model(trained.model_path)
    extent = float(model.card.metrics["ink_extent"])
    expected = fit_to_frame(read_ink(tmp_path / "a.png").ink, model.card.size, extent)
    assert np.array_equal(np.array([list(row) for row in rows]), expected)
    assert main(["predict", "--model-path", str(trained.model_path), str(tmp_path / "a.png"), "--show"]) == 0
    lines = capsys.readouterr().out.split("\n")
    drawn = [line for line in lines if len(line) == 2 + model.card.size and set(line) <= set(" ░▒▓█")]
    assert len(drawn) == model.card.size // 2
    inked = np.array([[mark != " " for mark in line[2:]] for line in drawn])
    darkest = expected.reshape(-1, 2, model.card.size).mean(axis=1)
    assert inked[darkest > 128].all()
    assert not inked[darkest == 0].any()

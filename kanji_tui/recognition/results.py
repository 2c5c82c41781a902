"""The results of predictions, evaluations and saliency; imports neither torch nor onnx."""

from dataclasses import dataclass, field

from kanji_tui.system.intervals import Interval, fill_intervals
from kanji_tui.system.plain_data import OPTIONAL


@dataclass(frozen=True)
class Candidate:
    """A class that an image may show; `jis` as four hexadecimal digits, `probability` 0-1.

    `lookalikes`: other characters that have the same shape; `probability` is that of all of them together.
    `readings`: of a kanji the on-readings in katakana and the kun-readings in hiragana, of a kana its romaji.
    """

    character: str
    jis: str
    probability: float
    lookalikes: tuple[str, ...] = field(default=(), metadata=OPTIONAL)
    readings: tuple[str, ...] = field(default=(), metadata=OPTIONAL)


@dataclass(frozen=True)
class Prediction:
    """The candidates for the image in `path`, most probable first.

    `doubtful`: why the image may be misunderstood, or empty. `image`: what the model gets, if asked for: a string
    for each row, two hexadecimal digits for each pixel, 00 paper to ff ink.
    """

    path: str
    candidates: tuple[Candidate, ...]
    doubtful: str = field(default="", metadata=OPTIONAL)
    image: tuple[str, ...] = field(default=(), metadata=OPTIONAL)


@dataclass(frozen=True)
class ErrorMessage:
    """What happened, what to do about it, and the exit code."""

    message: str
    remedy: str
    code: int


@dataclass(frozen=True)
class Unreadable:
    """An image file in which no character was found, and why."""

    path: str
    error: ErrorMessage


@dataclass(frozen=True)
class Predicted:
    """What `predict --json` prints, in the order of the files; `error` if there is no prediction among them."""

    predictions: tuple[Prediction | Unreadable, ...]
    model_path: str
    error: ErrorMessage | None = field(default=None, metadata=OPTIONAL)


@dataclass(frozen=True)
class Confusion:
    """`count` samples with the label `truth` were predicted as `predicted`."""

    truth: str
    predicted: str
    count: int
    truth_jis: str
    predicted_jis: str


@dataclass(frozen=True)
class Evaluation:
    """Accuracies as fractions of all `samples`; `balanced`: the mean of the classes' recalls.

    Characters that share an output, being of one shape, count as right for each other; in `top1_strict` only the
    one that is shown does.

    The intervals follow from the other fields: Wilson's, at 95 %.

    `loss`: mean cross-entropy of the samples whose class the model knows. `unknown_samples` are of classes that it
    lacks, `unknown_classes` (JIS codes) of all `classes`, and count as errors; `top1_known` leaves them
    aside. `confusions`: most frequent first.
    `predictions_path`: the file they are saved in, or ""; `reused`: they were loaded from it. `models`: the files
    of an ensemble. `learned_from`: samples that the model was trained on are among those of all splits.
    """

    samples: int
    top1: float
    top3: float
    top5: float
    balanced: float
    loss: float
    confusions: tuple[Confusion, ...]
    split: str
    model_path: str
    model_digest: str
    dataset_digest: str
    network: str
    source: str
    unknown_samples: int
    unknown_classes: tuple[str, ...]
    predictions_path: str
    reused: bool
    seconds: float
    models: tuple[str, ...] = ()
    top1_strict: float = 0.0
    classes: int = 0
    top1_known: float | None = None
    learned_from: bool = field(default=False, metadata=OPTIONAL)
    top1_interval: Interval = (0.0, 1.0)
    top3_interval: Interval = (0.0, 1.0)
    top5_interval: Interval = (0.0, 1.0)

    def __post_init__(self) -> None:
        fill_intervals(self, "top1", "top3", "top5")


@dataclass(frozen=True)
class Explained:
    """The saliency map of one image for `character`: `size` rows of `size` values 0-1.

    `probability`: of that character. `sample`: its number in the dataset, None for an image file; `truth`: its
    label, "" for an image file.
    """

    sample: int | None
    character: str
    jis: str
    probability: float
    truth: str
    method: str
    size: int
    map: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Explanations:
    """What `saliency --json` prints; the paths of the array (float32 (S, S), .npy) and the image, if written."""

    explained: tuple[Explained, ...]
    model_path: str
    array_path: str = ""
    picture_path: str = ""


@dataclass(frozen=True)
class Layer:
    """A layer of a network whose output for one image is `channels` maps of `height` x `width` values.

    `kind`: block, attention or layer.
    """

    name: str
    kind: str
    channels: int
    height: int
    width: int


@dataclass(frozen=True)
class FeatureMap:
    """A channel of a layer's output. `levels`: two hexadecimal digits a value, by rows: 00 `lowest`, ff `highest`.

    `deviation`: the standard deviation of its values. `values`: rows of activations, if one layer was asked for.
    """

    channel: int
    mean: float
    deviation: float
    lowest: float
    highest: float
    levels: str
    values: tuple[tuple[float, ...], ...] = field(default=(), metadata=OPTIONAL)


@dataclass(frozen=True)
class LayerMaps:
    """The maps of a layer that vary most over the image, the greatest deviation first."""

    layer: str
    maps: tuple[FeatureMap, ...]


@dataclass(frozen=True)
class ImageMaps:
    """The feature maps of one image. `sample`: its number, None for an image file; `truth`: its label, or ""."""

    sample: int | None
    truth: str
    layers: tuple[LayerMaps, ...]


@dataclass(frozen=True)
class FeatureMaps:
    """What `saliency --layer` and `--layers` print: `layers` in the order in which they run, and maps of images.

    The paths are those of the array, float32 (K, h, w) with all channels, and of the image, if they were written.
    """

    network: str
    layers: tuple[Layer, ...]
    images: tuple[ImageMaps, ...]
    model_path: str
    array_path: str = ""
    image_path: str = ""


@dataclass(frozen=True)
class Suspect:
    """One suspected label error. `record` and `data_set`: numbers within `file`; `path`: its image file, or "".

    Codes are four hexadecimal digits, probabilities 0-1; `split` is train, val, test or "".
    """

    file: str
    record: int
    data_set: int
    label: str
    label_jis: str
    predicted: str
    predicted_jis: str
    label_probability: float
    predicted_probability: float
    threshold: float
    margin: float
    split: str
    sample: int
    path: str


@dataclass(frozen=True)
class Suspects:
    """The suspected label errors among `samples`, lowest margin first.

    `unknown_samples` more have labels that the model lacks, so they are not tested.
    """

    samples: int
    unknown_samples: int
    suspects: tuple[Suspect, ...]
    split: str
    model_path: str
    model_digest: str
    dataset_digest: str
    note: str = ""
    output_path: str = ""

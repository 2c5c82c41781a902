"""What the jobs of this room give back, free of torch and onnx: read again by the faces."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """`jis` as four hexadecimal digits, `probability` 0-1."""

    character: str
    jis: str
    probability: float


@dataclass(frozen=True)
class Prediction:
    """The candidates for the picture in `path`, most probable first."""

    path: str
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True)
class Predicted:
    predictions: tuple[Prediction, ...]
    model_path: str


@dataclass(frozen=True)
class Confusion:
    """`count` samples of the character `truth` were taken for `predicted`."""

    truth: str
    predicted: str
    count: int
    truth_jis: str
    predicted_jis: str


@dataclass(frozen=True)
class Evaluation:
    """Fractions of all `samples`; `balanced` is the mean recall of the classes; `confusions` most frequent first.

    `loss`: mean cross-entropy of the samples whose class the model knows. `unknown_samples` are of
    `unknown_classes` (JIS codes) that it lacks, and count as errors. `predictions_path` is where
    they are kept, or empty. `models`: of an ensemble, the files that were evaluated together.
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


@dataclass(frozen=True)
class Explained:
    """One picture: the character explained, with its probability, and the map as `size` rows of `size` numbers 0-1.

    `sample` is its number in the dataset and `truth` its character there; None and empty for an image file.
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
    """What the job `saliency` gives; the paths of array (float32 (S, S), .npy) and picture where asked for."""

    explained: tuple[Explained, ...]
    model_path: str
    array_path: str = ""
    picture_path: str = ""


@dataclass(frozen=True)
class Suspect:
    """One sample; `record` and `data_set` are places in `file`, `path` is that of its picture where it has one.

    Codes are four hexadecimal digits, probabilities 0-1, `split` is train, val, test or empty.
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
    """The suspect of `samples`, worst first; `unknown_samples` more have labels the model lacks: not judged."""

    samples: int
    unknown_samples: int
    suspects: tuple[Suspect, ...]
    split: str
    model_path: str
    model_digest: str
    dataset_digest: str
    note: str = ""
    output_path: str = ""

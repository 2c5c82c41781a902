"""Names of the files and folders that several packages use; folders are relative to the home folder."""

from pathlib import Path

ETL_DIR = Path("ETL9G")
DATA_DIR = Path("dataset")
MODELS_DIR = Path("models")
RUNS_DIR = MODELS_DIR / "runs"
SAMPLES_DIR = Path("samples")  # drawings saved as samples, one folder per character

# in a dataset
METADATA = "metadata.json"
CHUNK_INFO = "chunk_info.json"
CLASS_MAPPING = "character_mapping.json"

# in a run directory; WEIGHTS, MODEL_INFO and HISTORY also in MODELS_DIR once the run is published
WEIGHTS = "best_kanji_model.pth"
MODEL_INFO = "best_model_info.json"
HISTORY = "training_progress.json"
CHECKPOINT = "last.ckpt"

DEFAULT_MODEL = MODELS_DIR / WEIGHTS
BUILT_IN = Path("built-in")  # instead of a model's path: the model that comes with the program

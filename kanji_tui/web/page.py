"""`export web`: a folder with the page, its model and its runtime, that any web server can serve."""

import shutil
from importlib.resources import as_file, files
from pathlib import Path

from kanji_tui.engines.web_runtime import copy_runtime, find_runtime, pinned
from kanji_tui.errors import UsageError
from kanji_tui.events import Notice, Progress, Report, raise_if_stopped
from kanji_tui.paths import MODELS_DIR
from kanji_tui.system.compression import COMPRESSED, compress, has_brotli, transferred
from kanji_tui.system.files import read_json, write_text
from kanji_tui.system.folders import replacing_folder
from kanji_tui.web.model_files import write_model
from kanji_tui.web.paths import CLASSES, INDEX, LICENSES, MODEL
from kanji_tui.web.results import ExportedPage

DEFAULT_FOLDER = MODELS_DIR / "web"
OLDER = (".js", ".mjs", ".css", ".svg", ".wasm", ".json", ".onnx")  # endings of files that a page is made of


def export_page(model_path: Path, output_path: Path | None, runtime: str | None, report: Report) -> ExportedPage:
    """Write the page of a model into a folder, replacing a page that is there, as a whole or not at all.

    `runtime`: where ONNX Runtime Web comes from, see `find_runtime`. Raises UsageError for a folder that holds
    something else, KanjiError where the model or the runtime cannot be used.
    """
    folder = output_path or DEFAULT_FOLDER
    _require_page_or_nothing(folder)
    report(Progress("page", 0, 3, "parts", "runtime"))
    source = find_runtime(runtime)
    raise_if_stopped(report)
    report(Progress("page", 1, 3, "parts", "model"))
    with replacing_folder(folder) as building:
        name = write_page(model_path, building, source)
        raise_if_stopped(report)
        report(Progress("page", 2, 3, "parts", "compressed copies"))
        for path in list(building.iterdir()):
            if path.name not in {file.name for file in pinned().files} and path.suffix not in COMPRESSED:
                compress(path)
        raise_if_stopped(report)
    if not has_brotli():
        report(Notice('brotli copies, which are a quarter smaller, need a package: pip install "kanji-tui[serve]"'))
    report(Progress("page", 3, 3, "parts"))
    return _measure(folder, name)


def write_page(model_path: Path, folder: Path, runtime: Path) -> str:
    """Write the page's files into an existing folder, without compressed copies; returns the model's name."""
    name = write_model(model_path, folder)
    with as_file(files("kanji_tui.web") / "page") as page:
        for path in page.iterdir():
            shutil.copyfile(path, folder / path.name)
    copy_runtime(runtime, folder)
    license = read_json(folder / CLASSES)["model"]["license"] or "that of its owner"
    write_text(folder / LICENSES, LICENSE_TEXT.format(pinned().title, pinned().license, license))
    return name


def _require_page_or_nothing(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir() or (any(folder.iterdir()) and not (folder / CLASSES).is_file()):
        raise UsageError(f"{folder} holds something that is not a page", "choose another folder: --output-path DIR")
    names = _names()
    others = sorted(path.name for path in folder.iterdir() if path.name not in names and not _of_older_page(path))
    if others:  # the folder is replaced as a whole, and they would be lost
        raise UsageError(
            f"{folder} also holds {', '.join(others[:3])}{' ...' if others[3:] else ''}, no part of a page",
            "move that elsewhere, or choose another folder: --output-path DIR",
        )


def _of_older_page(path: Path) -> bool:
    """Whether a file may be part of a page that another version wrote."""
    ending = path.with_suffix("").suffix if path.suffix in COMPRESSED else path.suffix
    return ending in OLDER and path.is_file()


def _names() -> set[str]:
    """The names of all files of a page, and of their compressed copies."""
    own = {path.name for path in (files("kanji_tui.web") / "page").iterdir()}
    names = own | {MODEL, CLASSES, LICENSES} | {file.name for file in pinned().files}
    return {f"{name}{ending}" for name in names for ending in ("", *COMPRESSED)}


def _measure(folder: Path, name: str) -> ExportedPage:
    plain = [path for path in folder.iterdir() if path.suffix not in COMPRESSED]
    runtime = {file.name for file in pinned().files}
    sizes = {path.name: transferred(path) for path in plain}
    return ExportedPage(
        path=str(folder),
        bytes=sum(path.stat().st_size for path in folder.iterdir()),
        model=name,
        runtime=pinned().title,
        files=tuple(sorted(path.name for path in plain)),
        transferred_page=sum(size for file, size in sizes.items() if file not in runtime and file != MODEL),
        transferred_model=sizes[MODEL],
        transferred_runtime=sum(sizes[file] for file in runtime),
        index=str(folder / INDEX),
    )


LICENSE_TEXT = """\
The page: part of kanji-tui, MIT License.
The runtime, ort.js and ort-wasm-simd-threaded.wasm: {}, {}.
The model: {}.
Stroke counts and readings in classes.json: from KANJIDIC2 of the Electronic Dictionary Research and Development
Group, https://www.edrdg.org/wiki/index.php/KANJIDIC_Project, and KanjiVG of Ulrich Apel,
https://kanjivg.tagaini.net; CC BY-SA 4.0, https://creativecommons.org/licenses/by-sa/4.0.

MIT License: permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction, including without
limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the
Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO
THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT,
TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""

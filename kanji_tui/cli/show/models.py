"""How the results about a model are shown: measured, asked, written."""

from kanji_tui.cli.console import escape
from kanji_tui.cli.show.inspection import latencies
from kanji_tui.cli.show.words import Result, percent, size, stdout


def evaluated(value: Result) -> None:
    if value["models"]:
        stdout.print(f"{len(value['models'])} models together: {escape(', '.join(value['models']))}")
    stdout.print(
        f"{value['samples']:,} samples: top-1 {percent(value['top1'])}, top-3 {percent(value['top3'])}, "
        f"top-5 {percent(value['top5'])}, balanced {percent(value['balanced'])}, loss {value['loss']:.4f}"
    )
    for pair in value["confusions"][:10]:
        stdout.print(f"  {pair['truth']} taken for {pair['predicted']}: {pair['count']} times")


def predicted(value: Result) -> None:
    for prediction in value["predictions"]:
        stdout.print(f"[bold]{escape(prediction['path'])}[/]")
        for candidate in prediction["candidates"]:
            bar = "#" * round(20 * candidate["probability"])
            stdout.print(f"  {candidate['character']}  {candidate['jis']}  {candidate['probability']:7.2%}  {bar}")


def exported(value: Result) -> None:
    stdout.print(f"{escape(value['path'])}  {size(value['bytes'])}")
    if "opset" in value:
        stdout.print(f"  opset {value['opset']}, pooling {value['pooling']}")
        stdout.print(escape(f"  exporter {value['exporter']}: {value['exporter_reason']}"))
        stdout.print(escape(f"  {value['target']}: {value['note']}"))
        stdout.print(escape(f"  tested on {value['samples_source']}"))
    for engine, parity in (value.get("parity") or {}).items():
        stdout.print(
            f"  {engine}: {parity['samples']:,} samples, largest logit difference "
            f"{parity['max_logit_difference']:.2e}, same top-1 {percent(parity['top1_agreement'])}"
        )
    if value.get("changed"):
        stdout.print(escape(f"  changed: {value['changed']}"))
    if value.get("mapping_path"):
        stdout.print(escape(f"  mapping {value['mapping_path']}"))
    if value.get("calibration"):
        stdout.print(escape(f"  ranges from {value['calibration']}"))
    if accuracy := value.get("accuracy"):
        stdout.print(
            f"  top-1 {percent(accuracy['top1'])}, as trained {percent(accuracy['before'])}, on "
            f"{accuracy['samples']:,} samples of {escape(accuracy['source'])}"
        )
    if "tensors" in value:
        read = "read back: every bit is the model's" if value["verified"] else "not read back: --verify"
        stdout.print(f"  {value['tensors']} tensors, {value['parameters']:,} parameters; {read}")
        stdout.print(f"  metadata: {', '.join(value['metadata']) or 'left out'}")
    if "statistics" in value:
        counts = (f"{name.replace('_', ' ')} {number:,}" for name, number in value["statistics"].items())
        stdout.print(f"  {', '.join(counts)}")
    if value.get("latency"):
        latencies(value["latency"], {value["target"]: ""})

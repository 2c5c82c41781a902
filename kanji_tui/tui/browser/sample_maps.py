"""Saliency and feature maps of the samples that the Browser shows, computed by children."""

from functools import partial
from typing import Any

from textual.message_pump import MessagePump

from kanji_tui.jobs import feature_maps, saliency
from kanji_tui.recognition.results import Explanations, FeatureMaps, LayerMaps
from kanji_tui.runs import question
from kanji_tui.tui.browser.ahead import ComputedAhead
from kanji_tui.tui.browser.layers import LayerChoice
from kanji_tui.tui.browser.sample_pane import SaliencyMap, saliency_maps
from kanji_tui.tui.shell.messages import Answered
from kanji_tui.tui.shell.worker import Worker
from kanji_tui.workspace.sample_list import SampleList

AHEAD = 12  # saliency maps a child computes at once: they take less time than its start
LAYERS_AHEAD = 3  # with the feature maps of every layer
KEPT, LAYERS_KEPT = 256, 32  # samples


class SaliencyComputed(Answered[Explanations]):
    """Saliency maps of some samples."""


class FeatureMapsComputed(Answered[FeatureMaps]):
    """Feature maps of some samples, of every layer."""


class SampleMaps:
    """`asker`, a screen, gets the children's answers and adds them here."""

    def __init__(self, asker: MessagePump, worker: Worker) -> None:
        self._asker, self._worker = asker, worker
        self.saliency: ComputedAhead[SaliencyMap] = ComputedAhead(
            lambda samples: self._ask(SaliencyComputed, "saliency", saliency.Spec(samples=samples)),
            lambda: worker.drop(asker, SaliencyComputed),
            KEPT,
        )
        self.features: ComputedAhead[tuple[LayerMaps, ...]] = ComputedAhead(
            lambda samples: self._ask(FeatureMapsComputed, "feature_maps", feature_maps.Spec(samples=samples)),
            lambda: worker.drop(asker, FeatureMapsComputed),
            LAYERS_KEPT,
        )
        self.layer = LayerChoice()

    def _ask(self, answered: type[Answered[Any]], job: str, spec: Any) -> None:
        read = partial(question.read_answer, job)
        self._worker.ask_child(self._asker, answered, lambda: question.ask(job, spec), read)

    def want(self, number: int, found: SampleList | None, cursor: int) -> None:
        """Ask for what is missing of the sample `number`, and of those after `cursor` in the list too."""
        for maps, ahead in ((self.saliency, AHEAD), (self.features, LAYERS_AHEAD)):
            maps.want((number, *(found.numbers(cursor, ahead) if found is not None else ())))

    def awaited(self, number: int) -> str:
        """What is being computed of the sample, in words; empty for nothing."""
        if self.saliency.awaits(number):
            return "computing the saliency map ..."
        return "computing the feature maps ..." if self.features.awaits(number) else ""

    def add_saliency(self, explanations: Explanations) -> None:
        self.saliency.add(saliency_maps(explanations))

    def add_features(self, found: FeatureMaps) -> None:
        if self.features.add({one.sample: one.layers for one in found.images if one.sample is not None}):
            self.layer.offer(found.layers)

    def fail(self, question: type) -> None:
        """A question has failed, perhaps one for maps."""
        if question is SaliencyComputed:
            self.saliency.fail()
        if question is FeatureMapsComputed:
            self.features.fail()

    def forget(self) -> None:
        """There is another model."""
        self.saliency.forget()
        self.features.forget()
        self.layer.forget()

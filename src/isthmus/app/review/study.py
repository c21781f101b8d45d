"""A review: what each reader is to see and in which order, what was decided, which masks were saved."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus import __version__
from isthmus.app.paths import inside
from isthmus.app.refusal import Refusal
from isthmus.app.review.cases import Case, folder_name, read_cases
from isthmus.app.review.drafts import Draft, Drafts
from isthmus.app.review.exchange import itksnap_labels, read_itksnap_labels
from isthmus.app.review.log import Log, Read
from isthmus.app.review.masks import replace_file, save_version
from isthmus.app.review.settings import ReviewSettings, read_review_settings
from isthmus.app.review.volumes import Opened, Shelf, fingerprint, read_label_map
from isthmus.app.settings import AppSettings
from isthmus.segment.assess import compare_masks, modification

__all__ = ["DECISIONS", "METRICS", "Item", "Review", "agreement"]

DECISIONS = ("accepted", "edited", "rejected", "flagged")
LONGEST_NAME = 60
METRICS = (
    "dice", "hd95_mm", "assd_mm", "surface_dice", "volume_reference_ml", "volume_ml", "volume_difference_ml", "volume_difference_percent",
)  # fmt: skip
"""Of `segment.compare_masks`, what the log and its tables keep."""


@dataclass(frozen=True)
class Item:
    """A case as one reader sees it.

    Parameters
    ----------
    key : str
        What the page knows it by; says nothing of the case.
    number : int
        Its place in the reader's order, from 1.
    case : Case
    turn : int
        1, or 2 where the reader sees it the second time.
    """

    key: str
    number: int
    case: Case
    turn: int


class Review:
    """The review of a case table, in the folder `review` of the study."""

    def __init__(self, settings: AppSettings) -> None:
        self.folder = inside(settings.study, "review")
        self.folder.mkdir(exist_ok=True)
        assert settings.cases is not None
        self.table = settings.cases
        self.root = settings.root or settings.cases.parent
        self.cases = read_cases(settings)
        self.settings: ReviewSettings = read_review_settings(self.folder, seed=settings.seed)
        self.log = Log(self.folder / "log.jsonl")
        self.drafts = Drafts(self.folder / "drafts")
        self.shelf = Shelf(settings.folders)

    # ------------------------------------------------------------------------------------------------------ who and what

    def check_reader(self, reader: str) -> str:
        """Who is reading: "reader" or "adjudicator".

        Raises
        ------
        Refusal
            403: the settings name readers, and this is none of them. 422: no name.
        """
        if not reader or reader != reader.strip() or len(reader) > LONGEST_NAME or not reader.isprintable():
            raise Refusal(f"reader {reader!r}", f"a name of 1 to {LONGEST_NAME} characters", status=422)
        if reader in self.settings.adjudicators:
            return "adjudicator"
        if self.settings.readers and reader not in self.settings.readers:
            raise Refusal(
                f"reader {reader!r}",
                f"one of those named in {self.folder.name}/settings.json",
                "ask whoever runs the study to add the name there",
                status=403,
            )
        return "reader"

    def items(self, reader: str) -> list[Item]:
        """What a reader is to see, in his order: every case once, some a second time later; always the same for the same seed."""
        if self.check_reader(reader) == "adjudicator":
            held = self.log.read()
            return [
                Item(self._key(reader, case, 1), number, case, 1)
                for number, case in enumerate(self.cases, start=1)
                if len(self.final_of_readers(held, case)) > 1
            ]
        shuffled = random.Random(f"{self.settings.seed}:{reader}:order")
        order = [(case, 1) for case in self.cases]
        shuffled.shuffle(order)
        again = math.ceil(self.settings.repeat_share * len(order))
        twice = random.Random(f"{self.settings.seed}:repeats").sample(self.cases, again)
        later = [(case, 2) for case in twice]
        shuffled.shuffle(later)
        for number, one in enumerate(later):  # spread over the second half, never before their first time
            first = next(at for at, (case, _) in enumerate(order) if case is one[0])
            at = max(first + 1, len(order) - len(later) + number + 1)
            order.insert(min(at, len(order)), one)
        return [Item(self._key(reader, case, turn), n, case, turn) for n, (case, turn) in enumerate(order, start=1)]

    def item(self, reader: str, key: str) -> Item:
        """One of them.

        Raises
        ------
        Refusal
            404: not in this reader's list.
        """
        found = next((one for one in self.items(reader) if one.key == key), None)
        if found is None:
            raise Refusal(
                "a case that is not in this reader's list", "one of the work list", "reload the page", status=404
            )
        return found

    def _key(self, reader: str, case: Case, turn: int) -> str:
        return hashlib.sha256(f"{self.settings.seed}:{reader}:{case.name}:{turn}".encode()).hexdigest()[:16]

    # ------------------------------------------------------------------------------------------------------ what is there

    def opened(self, case: Case) -> Opened:
        return self.shelf.get(case)

    def own_lines(self, held: Read, reader: str, item: Item) -> list[dict[str, Any]]:
        """What this reader decided about this item, first to last; nobody else's."""
        return [
            line
            for line in held.lines
            if line["reader"] == reader and line["case"] == item.case.name and line["pass"] == item.turn
        ]

    def current(self, held: Read, reader: str, item: Item, opened: Opened) -> tuple[NDArray[np.uint8], str]:
        """The mask this reader left last for this item, and its fingerprint; at first what is put before him."""
        lines = self.own_lines(held, reader, item)
        if lines:
            return self.mask_of(lines[-1], opened), str(lines[-1]["mask_after"])
        base = self.base(held, reader, item, opened)
        return base, fingerprint(base)

    def base(self, held: Read, reader: str, item: Item, opened: Opened) -> NDArray[np.uint8]:
        """What is put before the reader: the proposal; before an adjudicator the first reader's mask."""
        if self.check_reader(reader) == "adjudicator":
            return self.mask_of(self.readings(held, item.case)[0], opened)
        return opened.proposal

    def other(self, held: Read, reader: str, item: Item, opened: Opened) -> NDArray[np.uint8]:
        """What the drawing is compared with: the proposal; for an adjudicator the second reader's mask."""
        if self.check_reader(reader) == "adjudicator":
            return self.mask_of(self.readings(held, item.case)[1], opened)
        return opened.proposal

    def mask_of(self, line: dict[str, Any], opened: Opened) -> NDArray[np.uint8]:
        """The mask a line of the log left behind.

        Raises
        ------
        Refusal
            409: the file is not what was saved.
        """
        if line["mask_after"] == opened.proposed:
            return opened.proposal
        labels, _ = read_label_map(inside(self.folder, line["mask_file"]), opened.geometry)
        if fingerprint(labels) != line["mask_after"]:
            raise Refusal(
                f"{line['mask_file']}: changed since it was saved",
                "the mask of the log",
                "restore the file",
                status=409,
            )
        return labels

    def final_of_readers(self, held: Read, case: Case) -> dict[str, dict[str, Any]]:
        """Each reader's last decision about a case, seen the first time, where it left a mask (accepted or edited)."""
        last = {
            line["reader"]: line
            for line in held.lines
            if line["case"] == case.name and line["pass"] == 1 and line["role"] == "reader"
        }
        return {reader: line for reader, line in last.items() if line["decision"] in ("accepted", "edited")}

    def readings(self, held: Read, case: Case) -> list[dict[str, Any]]:
        """The two readings an adjudicator compares, in an order that the seed, not the name, decides."""
        found = self.final_of_readers(held, case)
        order = sorted(found)
        random.Random(f"{self.settings.seed}:{case.name}:sides").shuffle(order)
        return [found[reader] for reader in order[:2]]

    def names(self, opened: Opened) -> dict[int, str]:
        """What the labels are called: as the mask says, as ITK-SNAP's label descriptions (`review/labels.txt`) say, or as `labels.json`
        beside the case table does (name: number, as `isthmus segment train` takes it).
        """
        beside, path = self.table.with_name("labels.json"), self.folder / "labels.txt"
        held = json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {}
        named = {int(label): str(name) for name, label in held.items() if label}
        told = read_itksnap_labels(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return {**named, **told, **opened.names}

    def name_labels(self, data: bytes) -> dict[str, str]:
        """Keep label descriptions for every case of the review."""
        names = read_itksnap_labels(data.decode("utf-8", "replace"))
        replace_file(self.folder / "labels.txt", itksnap_labels(names).encode())
        return {str(label): name for label, name in names.items()}

    # ---------------------------------------------------------------------------------------------------------- decisions

    def decide(
        self,
        reader: str,
        item: Item,
        decision: str,
        *,
        base: str,
        drawn: str,
        reasons: Sequence[str] = (),
        comment: str = "",
        seconds: float = 0.0,
        page: str = "",
    ) -> dict[str, Any]:
        """Write a decision into the log, and the drawing, where it was changed, as a new file.

        Parameters
        ----------
        base : str
            Fingerprint of the mask the page began with: where another window has saved meanwhile, it is not the current one any more.
        drawn : str
            Fingerprint of the draft the decision is about; empty: nothing was drawn.

        Raises
        ------
        Refusal
            409: saved by another window meanwhile; or the drawing was changed and the decision says it was not. 422: no such decision.
        """
        if decision not in DECISIONS:
            raise Refusal(f"decision {decision!r}", ", ".join(DECISIONS), status=422)
        unknown = sorted(set(reasons) - set(self.settings.reasons))
        if unknown or (decision == "rejected" and not (reasons or comment.strip())):
            raise Refusal(
                f"reasons {', '.join(unknown) or '(none)'}",
                f"one of {', '.join(self.settings.reasons)}, or a comment",
                status=422,
            )
        role = self.check_reader(reader)
        opened = self.opened(item.case)
        draft = self.drafts.read(reader, item.key, opened)
        if drawn and (draft is None or draft.fingerprint != drawn):
            raise _stale("the drawing is another one than was saved last", "" if draft is None else draft.fingerprint)

        def line(held: Read) -> dict[str, Any]:
            before, before_print = self.current(held, reader, item, opened)
            if base != before_print:
                raise _stale("this case was saved in another window meanwhile", before_print)
            after = draft.labels if draft is not None and drawn else before
            changed = fingerprint(after) != before_print
            if changed and decision == "accepted":
                raise Refusal(
                    "the mask was changed",
                    "an unchanged mask to accept",
                    "save it as modified (M), or undo (Z)",
                    status=409,
                )
            compared = self.other(held, reader, item, opened)
            metrics = agreement(compared == opened.label, after == opened.label, opened)
            keep = decision in ("edited", "flagged") and changed
            if role == "adjudicator" and decision in ("accepted", "edited"):
                keep = True  # the mask of a reader, taken over as the study's own
            file = None if keep else self._file_of(held, before_print)
            if keep:
                file = self._save(after, opened, reader, item).relative_to(self.folder).as_posix()
            return {
                "number": len(held.lines) + 1,
                "time": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
                "case": item.case.name,
                "patient": item.case.patient,
                "image": item.case.image_name,
                "structure": self.names(opened).get(opened.label, "lesion"),
                "label": opened.label,
                "reader": reader,
                "role": role,
                "pass": item.turn,
                "decision": decision,
                "reasons": list(reasons),
                "comment": comment.strip(),
                "seconds": round(float(seconds), 1),
                "origin": item.case.origin,
                "proposal": opened.proposed,
                "mask_before": before_print,
                "mask_after": fingerprint(after) if keep else before_print,
                "mask_file": file,
                "metrics": metrics,
                "modification": modification(metrics["dice"]),
                "acceptable": metrics["dice"] >= self.settings.acceptable_dice,
                "versions": {"isthmus": __version__, "viewer": page},
            }

        written = self.log.append(line)
        if draft is not None and drawn and decision in ("accepted", "edited", "flagged"):
            self.drafts.drop(reader, item.key)
        return written

    def _file_of(self, held: Read, mask: str) -> str | None:
        """The file that holds this mask; none for a proposal, which is the case table's."""
        return next((line["mask_file"] for line in reversed(held.lines) if line["mask_after"] == mask), None)

    def _save(self, labels: NDArray[np.uint8], opened: Opened, reader: str, item: Item) -> Path:
        folder = self.folder / "masks" / folder_name(item.case.name) / folder_name(reader)
        return save_version(labels, opened, folder, "first" if item.turn == 1 else "second")

    def put_draft(
        self, reader: str, item: Item, labels: NDArray[np.uint8], *, base: str, previous: str, seconds: float
    ) -> Draft:
        """Keep a drawing that is not saved yet."""
        opened = self.opened(item.case)
        return self.drafts.write(reader, item.key, opened, labels, base=base, previous=previous, seconds=seconds)


def agreement(reference: NDArray[np.bool_], mask: NDArray[np.bool_], opened: Opened) -> dict[str, Any]:
    """Dice, HD95 and volumes of two masks, as JSON holds them: what is not defined is null."""
    found = compare_masks(reference, mask, opened.geometry.spacing_mm).to_dict()
    facts = {name: None if not math.isfinite(found[name]) else round(found[name], 6) for name in METRICS}
    return {**facts, "unit": opened.geometry.unit}


def _stale(what: str, current: str) -> Refusal:
    return Refusal(
        what,
        "the newest version",
        "your drawing is kept as a draft: open the case again to go on with it",
        status=409,
        current=current,
    )

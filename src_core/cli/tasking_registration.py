"""``drdm task registration``: networks trained on synthetic pairs (paper, Table 3)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from src_core.cli.parameters import Device, ModelName
from src_core.cli.report import print_json
from src_core.cli.tasking import follow, parse_levels

__all__ = ["registration"]


def registration(
    train: Annotated[
        Path,
        typer.Argument(help="Labelled cases: a folder, or a CSV, of which rows with split=train."),
    ],
    test: Annotated[
        Path, typer.Argument(help="Cases of other subjects; of a CSV, rows with split=test.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for results, table, figure and weights.")],
    model: ModelName = "cardiac-sax",
    methods: Annotated[
        str, typer.Option(help="Of none, mrbs and drdm, each also with +real, after real pairs.")
    ] = "none,mrbs,drdm,none+real,mrbs+real,drdm+real",
    pairs: Annotated[
        Literal["subject", "between"],
        typer.Option(help="Real pairs: two cases of a subject, or of two subjects (3D)."),
    ] = "subject",
    subjects: Annotated[
        int | None, typer.Option(help="Training subjects; all of them without.")
    ] = None,
    times: Annotated[int, typer.Option(help="Synthetic pairs of each case.")] = 32,
    levels: Annotated[str, typer.Option(help="Of the model's deformations.")] = "30:70",
    steps: Annotated[int, typer.Option(help="Of a training on synthetic pairs.")] = 10_000,
    tuning: Annotated[int, typer.Option(help="Steps on real pairs.")] = 10_000,
    batch: Annotated[int, typer.Option(help="Pairs of slices, or volumes, a step.")] = 12,
    rate: Annotated[float, typer.Option(help="Adam's learning rate.")] = 1e-4,
    similarity: Annotated[
        Literal["mse", "ncc"], typer.Option(help="Of images, on real pairs.")
    ] = "mse",
    smooth: Annotated[float, typer.Option(help="Weight of smoothness, synthetic pairs.")] = 0.01,
    smooth_real: Annotated[float, typer.Option(help="Weight of smoothness, real pairs.")] = 0.01,
    size: Annotated[int, typer.Option(help="Voxels a side of what the network sees.")] = 128,
    part: Annotated[
        float, typer.Option(help="Of the image's longest side that it sees, about the centre.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="Of all draws.")] = 1,
    repeats: Annotated[int, typer.Option(help="Trainings of each, by other seeds.")] = 1,
    fields: Annotated[
        Path | None,
        typer.Option(help="Folder of deformations to share between runs; OUT/fields without."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep the trainings there are, make the others.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Begin afresh.")] = False,
    device: Device = "auto",
    json: Annotated[
        bool, typer.Option("--json", help="Print the results as JSON, nothing else.")
    ] = False,
) -> None:
    """Table 3: VoxelMorph from synthetic pairs, and from real ones.

    Example: drdm task registration acdc.csv acdc.csv --part 0.5 --out registered
    """
    from src_core.tasks.registration.prepare import RegistrationRequest
    from src_core.tasks.registration.run import prepare

    prepared = prepare(
        RegistrationRequest(
            train,
            test,
            out,
            model=model,
            methods=tuple(word.strip() for word in methods.split(",")),
            pairs=pairs,
            subjects=subjects,
            times=times,
            levels=parse_levels(levels),
            steps=steps,
            tuning=tuning,
            batch=batch,
            rate=rate,
            similarity=similarity,
            smooth=smooth,
            smooth_real=smooth_real,
            size=size,
            part=part,
            seed=seed,
            repeats=repeats,
            fields=fields,
            resume=resume,
            overwrite=overwrite,
            device=device,
        )
    )
    follow(prepared)
    if json:
        print_json(prepared.report)
        return
    print((out / "table.md").read_text(encoding="utf-8"), end="")
    print(f"written to {out}")

"""Without an image nothing is offered and nothing is read; a result shows its variety."""

from __future__ import annotations

import pytest

pytest.importorskip("qtpy.QtWidgets", reason="no Qt binding is installed", exc_type=ImportError)

from tests.support.windows import settle, wait


def test_without_an_image_nothing_can_be_generated(window) -> None:
    viewer, explorer = window()
    wait(lambda: explorer.sources.model.value() is not None)
    offered = explorer.run_bar.generate, explorer.variants_panel.buttons["grid"]
    assert all(button.isEnabled() for button in offered)
    image = explorer.sources.image.value()
    kept = list(viewer.layers)
    viewer.layers.clear()
    wait(lambda: not any(button.isEnabled() for button in offered))
    for layer in kept:
        viewer.layers.append(layer)
    wait(lambda: all(button.isEnabled() for button in offered))
    assert explorer.sources.image.value() is image


def test_the_readout_is_empty_once_the_source_is_gone(window) -> None:
    viewer, explorer = window()
    explorer.generate()
    settle(explorer)
    source = explorer.sources.image.value()
    viewer.cursor.position = tuple(source.data_to_world([n // 2 for n in source.data.shape]))
    wait(lambda: "det J" in explorer.readout.text())
    viewer.layers.remove(source)
    wait(lambda: "Move the cursor" in explorer.readout.text())


@pytest.mark.parametrize("chosen", [None, 0.3])
def test_the_panel_and_the_tiles_name_the_variety(window, chosen: float | None) -> None:
    _, explorer = window()
    wait(lambda: explorer.sources.model.value() is not None)
    explorer.options.live.setChecked(False)
    if chosen is not None:
        explorer.options.variety.slider.setValue(round(100 * chosen))
    explorer.generate()
    settle(explorer)
    own = explorer.sources.model.value().spec.recovery.variety
    variety = own if chosen is None else chosen
    assert f"seed 1, variety {variety:g}, " in explorer.metrics.text("Shown")
    explorer.variants_panel.buttons["grid"].click()
    names = explorer.variants.seeds._layers._names
    wanted = "" if chosen is None else " V0.3"
    assert names[0].startswith("S1 L") and all(n.endswith(wanted) for n in names)
    assert not any("V" in n for n in names) or chosen is not None
    explorer.variants_panel.buttons["grid"].click()
    wait(lambda: not explorer.variants.seeds.busy)

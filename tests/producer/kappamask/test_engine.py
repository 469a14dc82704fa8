import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.errors import NotGeoreferencedWarning
from shapely.geometry import box, mapping

from producer import engines
from producer.classes import MaskClass
from producer.engines import Engine, choice
from producer.engines.kappamask import KappaMask
from producer.errors import BackendError, EngineOptionError, WeightsMissingError
from producer.kappamask.weights import WeightsCache
from producer.masking import Masker, MaskOptions
from producer.options import Backend, EngineOptions, Mode, Precision
from producer.record import MaskRecord
from producer.safe import open_product
from producer.settings import ProducerSettings
from producer.storage import Storage
from tests.producer.kappamask.conftest import StandIn, chain_of
from tests.producer.kappamask.test_fetching import Site, serving
from tests.products import NEW_L2A, flat_product

NAME = "l1c_deeplabv3plus"


@pytest.fixture
def weights(cache_dir: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Put random weights into the cache; gives their SHA-256."""
    monkeypatch.setenv("NIMBOSTAC_CACHE_DIR", str(cache_dir))
    monkeypatch.setenv("NIMBOSTAC_WEIGHTS_URL", "")
    monkeypatch.setenv("NIMBOSTAC_THREADS", "1")
    return WeightsCache.of(ProducerSettings()).card(NAME).sha256


@pytest.fixture
def no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIMBOSTAC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("NIMBOSTAC_WEIGHTS_URL", "")


def torch_only(**options: Any) -> EngineOptions:
    return EngineOptions(**{"backend": Backend.TORCH, **options})


def test_the_engine_says_what_it_is_and_whose_weights_it_has(weights: str) -> None:
    engine = engines.load("kappamask", "L1C", torch_only())
    assert isinstance(engine, Engine)
    assert (engine.name, engine.level) == ("kappamask", "L1C")
    assert engine.version == f"2.4+{weights[:8]}"
    assert engine.weights is not None
    assert (engine.weights.name, engine.weights.sha256) == (f"{NAME}.hdf5", weights)
    assert set(engine.classes) == set(MaskClass) - {MaskClass.NO_DATA}


def test_what_changes_pixels_changes_the_version(weights: str) -> None:
    area = mapping(box(25, 58, 26, 59))

    def version(**options: Any) -> str:
        return engines.load("kappamask", "L1C", torch_only(**options)).version

    assert version(mode=Mode.LEGACY) == f"2.4-legacy+{weights[:8]}"
    assert version(precision=Precision.BFLOAT16) == f"2.4-bf16+{weights[:8]}"
    assert version(aoi=area).startswith("2.4-aoi")
    assert version(aoi=area) != version(aoi=mapping(box(25, 58, 26, 60)))
    assert version(probabilities=True) == version()


def test_a_faster_precision_says_how_well_it_agrees(weights: str, landscape: Path) -> None:
    engine = engines.load("kappamask", "L1C", torch_only(precision=Precision.BFLOAT16))
    assert isinstance(engine, KappaMask)
    assert engine.chain.reference is not None
    # The network itself would take half a minute a tile where bf16 has no instructions.
    fast, exact = chain_of(StandIn(), precision=Precision.BFLOAT16), chain_of(StandIn())
    told = replace(engine, chain=replace(fast, reference=exact.predictor))
    (note,) = told.mask(open_product(landscape)).notes
    same = r"bf16: 9\d\.\d{3} % of one tile's pixels get the class that float32 gives\."
    assert re.fullmatch(same, note)


def test_a_product_is_masked_and_its_record_names_the_weights(
    weights: str, landscape: Path, tmp_path: Path
) -> None:
    options = MaskOptions(preview=False, engine=torch_only(probabilities=True), km_names=True)
    masker = Masker(tmp_path, "auto", options)
    record = masker.mask(landscape)
    assert record.engine.weights is not None
    assert record.engine.weights.sha256 == weights
    (note,) = record.notes
    assert note == f"KappaMask: its weights {NAME} ({weights[:8]}) were imported from {_source()}."
    assert {"torch", "nimbostac"} <= set(record.software)
    folder = next(tmp_path.glob("kappamask-l1c/35/V/LF/2020/05/*"))
    with rasterio.open(folder / record.files["mask"].key) as cog:
        mask = cog.read(1)
        assert cog.tags()["WEIGHTS_SHA256"] == weights
    with rasterio.open(folder / record.files["probabilities"].key) as cog:
        assert (cog.count, cog.dtypes[0]) == (6, "uint8")
        assert cog.descriptions[4] == "cloud"
        likeliest = np.array([5, 1, 2, 3, 4, 5])[cog.read().argmax(0)]
        assert np.mean(likeliest != mask) < 0.02
    _check_km_names(tmp_path, landscape.stem, mask)
    assert masker.mask(landscape) == record


def _source() -> str:
    return WeightsCache.of(ProducerSettings()).card(NAME).source


def _check_km_names(store: Path, product: str, mask: np.ndarray) -> None:
    stem = store / "prediction" / product / "L1C_T35VLF_20200509T094041_KZ_10m"
    with rasterio.open(f"{stem}.tif") as tif:
        assert np.array_equal(tif.read(1), mask)
    with pytest.warns(NotGeoreferencedWarning), rasterio.open(f"{stem}.png") as png:
        grey = png.read(1)
    pairs = dict(np.unique(np.stack([mask.ravel(), grey.ravel()], 1), axis=0).tolist())
    assert pairs == {1: 66, 2: 129, 3: 192, 4: 255, 5: 20}


def test_a_copy_that_is_gone_is_made_again(weights: str, landscape: Path, tmp_path: Path) -> None:
    area = {"type": "Polygon", "coordinates": mapping(box(22.0, 57.0, 27.0, 61.0))["coordinates"]}
    plain = MaskOptions(preview=False, engine=torch_only(aoi=area))
    first = Masker(tmp_path, "kappamask", plain).mask(landscape)
    assert "-aoi" in first.engine.version
    assert first.notes == ()
    named = MaskOptions(preview=False, engine=torch_only(aoi=area), km_names=True)
    second = Masker(tmp_path, "kappamask", named).mask(landscape)
    assert second.created > first.created


def test_without_weights_auto_takes_the_other_engine_and_says_why(
    no_weights: None, tmp_path: Path
) -> None:
    product = flat_product(tmp_path, NEW_L2A)
    record = Masker(tmp_path / "store", "auto", MaskOptions(preview=False)).mask(product)
    assert record.engine.name == "ukis-csmask"
    (note,) = record.notes
    assert note.startswith(
        "ukis-csmask, because KappaMask cannot run: its weights l2a_deeplabv3plus"
    )
    stored = Storage.from_url(str(tmp_path / "store"))
    (key,) = [item.key for item in stored.list(suffix=".json")]
    assert MaskRecord.parse(stored.get(key), key).notes == record.notes


def test_auto_says_what_kept_weights_from_being_fetched(
    no_weights: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(Site(b"")) as site:
        monkeypatch.setenv("NIMBOSTAC_WEIGHTS_URL", site.url)
        chosen = choice.resolve("auto", "L1C")
    assert chosen.engine == "ukis-csmask"
    assert site.url in chosen.reason
    assert len(site.asked) >= 1


def test_auto_fetches_weights_where_it_can(
    no_weights: None, keras_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = keras_file.parent.as_uri()
    monkeypatch.setenv("NIMBOSTAC_WEIGHTS_URL", address)
    chosen = choice.resolve("auto", "L1C")
    assert chosen.engine == "kappamask"
    assert f"fetched from {address}/{NAME}.hdf5, taken on first use" in chosen.reason


def test_auto_says_which_package_is_not_installed(
    weights: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "find_spec", lambda name: None if name == "torch" else object())
    chosen = choice.resolve("auto", "L1C")
    assert chosen.engine == "ukis-csmask"
    assert "torch not installed (nimbostac[kappamask] brings it)" in chosen.reason


def test_kappamask_without_weights_says_how_to_get_them(no_weights: None) -> None:
    with pytest.raises(WeightsMissingError, match=f"nimbostac weights fetch {NAME}"):
        engines.load("kappamask", "L1C")


def test_an_engine_without_options_refuses_them_by_name() -> None:
    options = EngineOptions(mode=Mode.LEGACY, probabilities=True)
    with pytest.raises(EngineOptionError, match="ukis-csmask does not take mode, probabilities"):
        engines.load("ukis-csmask", "L1C", options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "tpu"}, "no device is called 'tpu'"),
        ({"device": "mps"}, "mps is not supported"),
        ({"device": "cuda:99"}, "no device cuda:99"),
        ({"backend": Backend.OPENVINO, "precision": Precision.FLOAT16}, "not fp16"),
    ],
)
def test_a_device_that_is_not_there_is_refused(
    weights: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(BackendError, match=message):
        engines.load("kappamask", "L1C", torch_only(**options))


def test_areas_are_read_from_any_kind_of_geojson(tmp_path: Path) -> None:
    from producer.errors import AreaError
    from producer.kappamask.area import read_area

    square, other = mapping(box(0, 0, 1, 1)), mapping(box(2, 2, 3, 3))
    path = tmp_path / "area.geojson"

    def read(value: object) -> Any:
        path.write_text(json.dumps(value))
        return json.loads(json.dumps(read_area(path)))

    plain = json.loads(json.dumps(square))
    assert read(square) == plain
    assert read({"type": "Feature", "geometry": square, "properties": {}}) == plain
    features = [{"type": "Feature", "geometry": part} for part in (square, other)]
    both = read({"type": "FeatureCollection", "features": features})
    assert both["type"] == "MultiPolygon"
    assert len(both["coordinates"]) == 2
    for wrong in ({"type": "Point", "coordinates": [0, 0]}, [1], {"type": "Feature"}):
        with pytest.raises(AreaError, match=r"area\.geojson"):
            read(wrong)

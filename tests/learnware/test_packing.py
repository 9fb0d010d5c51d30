"""Packing: what comes out of an archive predicts as what went in, for each library."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

from beimingwu.errors import BeimingwuError, InvalidInput, InvalidSpecification
from beimingwu.learnware import Learnware, pack
from beimingwu.specification import RKME, Dimensions, SemanticSpecification

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 4))
Y = X @ [1.0, -2.0, 0.5, 0.0] + 0.1 * RNG.normal(size=120)
LABELS = np.array(["ash", "elm", "oak"])[(Y > 0).astype(int) + (Y > 1)]
NAMES = ("rain", "wind", "sun", "day of year")
SPEC = RKME(X[:20].astype(np.float32), np.full(20, 0.05), n=120)
NAMED = RKME(X[:20].astype(np.float32), np.full(20, 0.05), n=120, features=NAMES)
WORDS: dict[str, Any] = {
    "name": "Trees by weather",
    "description": "Tells trees apart by the weather.",
    "scenarios": ("Nature", "Agriculture"),
    "license": "MIT",
}
Packed = Callable[..., Learnware]


@pytest.fixture
def packed(tmp_path: Path, request: pytest.FixtureRequest) -> Packed:
    """Pack with the usual words, and open what was packed."""

    def pack_it(model: object, spec: RKME = SPEC, **more: Any) -> Learnware:
        words = {} if "semantic" in more else WORDS
        learnware = Learnware.open(pack(model, spec, path=tmp_path / "it.zip", **words, **more))
        request.addfinalizer(learnware.close)
        return learnware

    return pack_it


def test_a_regressor_predicts_the_same(packed: Packed) -> None:
    model = HistGradientBoostingRegressor(max_iter=10).fit(X, Y)
    learnware = packed(model, NAMED)
    assert np.array_equal(learnware.predict(X), model.predict(X))
    nothing = learnware.predict(X[:0])
    assert (nothing.shape, nothing.dtype) == ((0,), np.float64)
    semantic = learnware.semantic
    assert semantic is not None
    assert (semantic.task, semantic.library) == ("Regression", "Scikit-learn")
    assert semantic.feature_names == NAMES
    assert semantic.output == Dimensions(1)
    assert learnware.specification.features == NAMES


def test_a_regressor_of_several_targets_predicts_the_same(packed: Packed) -> None:
    model = LinearRegression().fit(X, np.column_stack([Y, -Y, Y * 2]))
    learnware = packed(model, outputs=("a", "b", "c"))
    assert np.array_equal(learnware.predict(X), model.predict(X))
    assert learnware.semantic is not None
    assert learnware.semantic.output == Dimensions.of(["a", "b", "c"])


def test_a_classifier_answers_probabilities_and_names_its_classes(packed: Packed) -> None:
    model = RandomForestClassifier(10, random_state=0).fit(X, LABELS)
    learnware = packed(model)
    assert np.array_equal(learnware.predict(X), model.predict_proba(X))
    assert learnware.predict(X[:0]).shape == (0, 3)
    assert learnware.semantic is not None
    assert learnware.semantic.output == Dimensions.of(["ash", "elm", "oak"])
    with learnware.load() as loaded:  # type: ignore[attr-defined]
        assert (loaded.input_shape, loaded.output_shape) == ((4,), (3,))


def test_a_classifier_without_probabilities_answers_numbers_of_classes(packed: Packed) -> None:
    model = LinearSVC().fit(X, LABELS)
    answer = packed(model).predict(X)
    assert answer.dtype.kind == "i"
    assert np.array_equal(np.array(["ash", "elm", "oak"])[answer.astype(int)], model.predict(X))


def test_a_transformer_answers_its_features(packed: Packed) -> None:
    model = PCA(2).fit(X)
    learnware = packed(model)
    assert np.array_equal(learnware.predict(X), model.transform(X))
    assert learnware.semantic is not None
    assert (learnware.semantic.task, learnware.semantic.output) == ("Feature Extraction", None)


def test_a_pipeline_that_selects_columns_by_name_is_given_names(packed: Packed) -> None:
    frame = pd.DataFrame(X, columns=list(NAMES))
    model = make_pipeline(
        ColumnTransformer([("scaled", StandardScaler(), ["rain", "day of year"])]),
        LinearRegression(),
    ).fit(frame, Y)
    learnware = packed(model, NAMED)
    assert np.array_equal(learnware.predict(X), model.predict(frame))
    assert "pandas==" in (learnware.folder / "requirements.txt").read_text()


def test_a_text_pipeline_predicts_on_texts(packed: Packed) -> None:
    texts = ["good fine", "bad awful", "good great", "awful worse"]
    model = make_pipeline(TfidfVectorizer(), MultinomialNB()).fit(texts, [1, 0, 1, 0])
    spec = RKME(RNG.normal(size=(3, 384)), np.full(3, 1 / 3), n=4, kind="text")
    learnware = packed(model, spec)
    assert np.array_equal(learnware.predict(texts), model.predict_proba(texts))
    assert learnware.semantic is not None
    assert (learnware.semantic.data, learnware.semantic.input) == ("Text", None)


@pytest.mark.parametrize(
    ("target", "raw"),
    [("numbers", False), ("two classes", True), ("three classes", False)],
    ids=["regressor", "booster", "classifier"],
)
@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_boosted_trees_predict_the_same(
    library: str, target: str, raw: bool, packed: Packed
) -> None:
    module = pytest.importorskip(library)
    prefix, more = ("LGBM", {"verbose": -1}) if library == "lightgbm" else ("XGB", {})
    classes = (Y > 0).astype(int) + (Y > 1 if target == "three classes" else 0)
    kind, goal = ("Regressor", Y) if target == "numbers" else ("Classifier", classes)
    model = getattr(module, prefix + kind)(n_estimators=8, n_jobs=1, **more).fit(X, goal)
    expected = model.predict(X) if target == "numbers" else model.predict_proba(X)
    booster = model.booster_ if library == "lightgbm" else model.get_booster()
    learnware = packed(booster if raw else model, NAMED)
    assert np.allclose(learnware.predict(X), expected, rtol=0, atol=1e-7)
    assert learnware.semantic is not None
    assert learnware.semantic.task == ("Regression" if target == "numbers" else "Classification")
    if target != "numbers" and not raw:
        assert learnware.semantic.output == Dimensions.of(list(map(str, model.classes_)))
    assert library in (learnware.folder / "requirements.txt").read_text()


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_trees_that_stopped_early_stop_as_early(library: str, packed: Packed) -> None:
    module = pytest.importorskip(library)
    noise = RNG.normal(size=120)
    if library == "lightgbm":
        model = module.LGBMRegressor(n_estimators=60, verbose=-1, n_jobs=1).fit(
            X,
            noise,
            eval_X=(X[::2],),
            eval_y=(Y[::2],),
            callbacks=[module.early_stopping(3, verbose=False)],
        )
        assert model.best_iteration_ < 60
    else:
        model = module.XGBRegressor(n_estimators=60, early_stopping_rounds=3, n_jobs=1).fit(
            X, noise, eval_set=[(X[::2], Y[::2])], verbose=False
        )
        assert model.best_iteration < 59
    assert np.allclose(packed(model).predict(X), model.predict(X), rtol=0, atol=1e-7)


def test_a_torch_module_predicts_the_same_without_its_source(packed: Packed) -> None:
    torch = pytest.importorskip("torch")

    class OwnModule(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.layers = torch.nn.Sequential(
                torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.5)
            )

        def forward(self, x: Any) -> Any:
            return torch.tanh(self.layers(x))[:, :3]

    model = OwnModule()
    learnware = packed(model, task="Classification")
    assert model.training  # packing looks at a copy
    model.eval()
    with torch.no_grad():
        expected = model(torch.as_tensor(X, dtype=torch.float32)).numpy()
    assert np.allclose(learnware.predict(X), expected, atol=1e-6)
    assert np.allclose(learnware.predict(X[:1]), expected[:1], atol=1e-6)
    assert learnware.semantic is not None
    assert (learnware.semantic.library, learnware.semantic.output) == ("PyTorch", Dimensions(3))


def test_a_torch_module_for_images_of_another_size_than_the_specification(packed: Packed) -> None:
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 2, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    )
    spec = RKME(RNG.normal(size=(2, 3, 32, 32)), np.full(2, 0.5), n=9, kind="image", kernel=None)
    learnware = packed(model, spec, task="Classification", input_shape=(3, 20, 20))
    images = RNG.normal(size=(5, 3, 20, 20)).astype(np.float32)
    with torch.no_grad():
        expected = model(torch.as_tensor(images)).numpy()
    assert np.allclose(learnware.predict(images), expected, atol=1e-6)


@pytest.mark.parametrize("classify", [False, True])
def test_an_onnx_file_predicts_the_same(classify: bool, packed: Packed, tmp_path: Path) -> None:
    skl2onnx = pytest.importorskip("skl2onnx")
    pytest.importorskip("onnxruntime")
    records = X.astype(np.float32)
    model = LogisticRegression().fit(X, LABELS) if classify else LinearRegression().fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        proto = skl2onnx.to_onnx(
            model, records[:1], options={"zipmap": False} if classify else None
        )
    path = tmp_path / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    learnware = packed(path, **({} if classify else {"task": "Regression"}))
    expected = model.predict_proba(X) if classify else model.predict(X).reshape(-1, 1)
    assert np.allclose(learnware.predict(X), expected, atol=1e-5)
    assert "onnxruntime==" in (learnware.folder / "requirements.txt").read_text()


OWN_MODULE = """
from pathlib import Path

import numpy as np
from learnware.model import BaseModel

from .parts.slope import SLOPE


class Weather(BaseModel):
    def __init__(self, offset=0.0):
        super().__init__(input_shape=(4,), output_shape=(1,))
        self.offset = offset + float((Path(__file__).parent / "offset.txt").read_text())

    def predict(self, X):
        return np.asarray(X).sum(axis=1) * SLOPE + self.offset
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    (folder / "parts").mkdir(parents=True)
    (folder / "__init__.py").write_text(OWN_MODULE)
    (folder / "offset.txt").write_text("0.5")
    (folder / "parts" / "__init__.py").touch()
    (folder / "parts" / "slope.py").write_text("import yaml\nSLOPE = 3.0\n")
    (folder / "parts" / "__pycache__").mkdir()
    (folder / "parts" / "__pycache__" / "slope.cpython-311.pyc").write_bytes(b"stale")
    return folder


def test_a_folder_with_an_own_module_predicts_the_same(packed: Packed, folder: Path) -> None:
    learnware = packed(folder, task="Regression", outputs=("sum",))
    assert np.allclose(learnware.predict(X), X.sum(axis=1) * 3 + 0.5)
    assert learnware.manifest.class_name == "Weather"
    pins = (learnware.folder / "requirements.txt").read_text().splitlines()
    assert [line.split("==")[0] for line in pins] == ["numpy", "PyYAML"]
    assert not list(learnware.folder.rglob("*.pyc"))


def test_a_folders_own_manifest_and_requirements_are_kept(packed: Packed, folder: Path) -> None:
    (folder / "__init__.py").rename(folder / "weather.py")
    (folder / "learnware.yaml").write_text(
        "model: {class_name: Weather, module_path: weather.py, kwargs: {offset: 1.5}}"
    )
    (folder / "requirements.txt").write_text("numpy<3\n")
    learnware = packed(folder, task="Regression", outputs=("sum",))
    assert np.allclose(learnware.predict(X), X.sum(axis=1) * 3 + 2)
    assert (learnware.folder / "requirements.txt").read_text() == "numpy<3\n"


def test_the_same_input_gives_the_same_archive(tmp_path: Path) -> None:
    model = RandomForestClassifier(5, random_state=0).fit(X, LABELS)
    one, two = (pack(model, SPEC, path=tmp_path / name, **WORDS).read_bytes() for name in "ab")
    assert one == two


def test_an_archive_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "it.zip"
    path.write_text("what was there")
    with pytest.raises(InvalidSpecification):
        pack(LinearRegression().fit(X, Y), SPEC, path=path, **{**WORDS, "name": "x"})
    assert path.read_text() == "what was there"
    assert list(tmp_path.iterdir()) == [path]


def test_packages_are_pinned_or_as_asked(packed: Packed) -> None:
    import sklearn

    model = LinearRegression().fit(X, Y)
    pins = (packed(model).folder / "requirements.txt").read_text().splitlines()
    assert pins == [f"numpy=={np.__version__}", f"scikit-learn=={sklearn.__version__}"]
    asked = packed(model, requirements=["scikit-learn>=1.6"])
    assert (asked.folder / "requirements.txt").read_text() == "scikit-learn>=1.6\n"


def a_semantic(**changes: Any) -> SemanticSpecification:
    given = {
        "data": "Table",
        "task": "Regression",
        "library": "Scikit-learn",
        "input": Dimensions(4),
        "output": Dimensions(1),
        **WORDS,
        **changes,
    }
    return SemanticSpecification(**given)


def test_a_semantic_specification_is_completed_and_never_overruled(packed: Packed) -> None:
    model = LinearRegression().fit(X, Y)
    assert packed(model, NAMED, semantic=a_semantic()).semantic == a_semantic(
        input=Dimensions.of(NAMES)
    )
    described = a_semantic(input=Dimensions(4, {0: "Regen"}), output=Dimensions.of(["trees"]))
    assert packed(model, NAMED, semantic=described).semantic == described


def fitted(columns: tuple[str, ...] = NAMES) -> LinearRegression:
    return LinearRegression().fit(pd.DataFrame(X, columns=list(columns)), Y)


REFUSED: dict[str, tuple[Callable[[], object], dict[str, Any], str]] = {
    "a model of no known library": (lambda: object(), {}, "pack.unknown_model"),
    "a model that is not fitted": (LinearRegression, {}, "pack.does_not_predict"),
    "fewer features than the model's": (
        lambda: LinearRegression().fit(X[:, :3], Y),
        {},
        "pack.feature_count",
    ),
    "features in another order": (
        lambda: fitted(NAMES[::-1]),
        {"spec": NAMED},
        "pack.feature_names",
    ),
    "a regressor said to classify": (
        fitted,
        {"semantic": a_semantic(task="Classification", output=Dimensions(2))},
        "pack.task",
    ),
    "another number of outputs": (
        fitted,
        {"semantic": a_semantic(output=Dimensions(2))},
        "pack.outputs",
    ),
    "another number of features": (
        fitted,
        {"semantic": a_semantic(input=Dimensions(5))},
        "pack.features",
    ),
    "another kind of data": (
        fitted,
        {"semantic": a_semantic(data="Text", input=None)},
        "pack.data",
    ),
    "words said twice": (fitted, {"semantic": a_semantic(), "name": "Other"}, "pack.said_twice"),
    "words not said": (fitted, {"license": ""}, "pack.words_missing"),
    "a module of one's own": (
        lambda: make_pipeline(FunctionTransformer(own_function), LinearRegression()).fit(X, Y),
        {},
        "pack.own_module",
    ),
    "a function without a name": (
        lambda: make_pipeline(FunctionTransformer(lambda rows: rows), LinearRegression()).fit(X, Y),
        {},
        "pack.not_picklable",
    ),
    "a function within a function": (
        lambda: make_pipeline(FunctionTransformer(inner_function()), LinearRegression()).fit(X, Y),
        {},
        "pack.not_picklable",
    ),
    "a file that is not there": (lambda: "nothing.onnx", {}, "pack.no_file"),
    "a classifier of several outputs": (
        lambda: RandomForestClassifier(3).fit(X, np.column_stack([LABELS, LABELS])),
        {},
        "pack.several_outputs",
    ),
}


def inner_function() -> Callable[[Any], Any]:
    def inner(values: Any) -> Any:
        return values

    return inner


def own_function(values: Any) -> Any:
    return values


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused_with_its_own_code(name: str, tmp_path: Path) -> None:
    build, changes, code = REFUSED[name]
    given = {**({} if "semantic" in changes else WORDS), "spec": SPEC, **changes}
    with pytest.raises(InvalidInput) as caught:
        pack(build(), path=tmp_path / "it.zip", **given)
    assert caught.value.code == code
    assert caught.value.remedy
    assert list(tmp_path.iterdir()) == []


UNFIT_FOLDERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no module": (lambda folder: (folder / "__init__.py").unlink(), "pack.no_module"),
    "no class": (lambda folder: (folder / "__init__.py").write_text("x = 1"), "pack.no_class"),
    "two classes": (
        lambda folder: (folder / "__init__.py").write_text(
            OWN_MODULE + OWN_MODULE.replace("Weather", "Other")
        ),
        "pack.no_class",
    ),
    "no Python": (lambda folder: (folder / "__init__.py").write_text("def"), "pack.syntax"),
    "a link": (lambda folder: (folder / "link").symlink_to("/etc/passwd"), "pack.link"),
}


@pytest.mark.parametrize("name", UNFIT_FOLDERS)
def test_an_unfit_folder_is_refused_with_its_own_code(name: str, folder: Path) -> None:
    change, code = UNFIT_FOLDERS[name]
    change(folder)
    with pytest.raises(BeimingwuError) as caught:
        pack(folder, SPEC, path=folder.parent / "it.zip", task="Regression", outputs="y", **WORDS)
    assert caught.value.code == code
    assert not (folder.parent / "it.zip").exists()


def test_a_model_with_trees_on_categories_is_refused(tmp_path: Path) -> None:
    lightgbm = pytest.importorskip("lightgbm")
    frame = pd.DataFrame({"a": pd.Categorical(LABELS), "b": X[:, 0]})
    model = lightgbm.LGBMRegressor(n_estimators=2, verbose=-1).fit(frame, Y)
    spec = RKME(X[:5, :2], np.full(5, 0.2), n=120)
    with pytest.raises(InvalidInput) as caught:
        pack(model, spec, path=tmp_path / "it.zip", **WORDS)
    assert caught.value.code == "pack.categories"


def test_the_module_written_is_short_and_knows_nothing_of_us(packed: Packed) -> None:
    text = (packed(LinearRegression().fit(X, Y)).folder / "__init__.py").read_text()
    assert len(text.splitlines()) < 25
    assert "import beimingwu" not in text
    assert "from learnware.model import BaseModel" in text

"""Pictures in folders, one per class: ``folder:PATH`` with ``train/``, ``val/`` and ``test/``, or classes at once.

Without ``val/`` a fifth of every class is held out for validation, by the seed. Files that do not end as pictures do,
and hidden ones, are passed over.
"""

from __future__ import annotations

from pathlib import Path

from archscope.core.errors import ArchscopeError, Problem, UsageError
from archscope.training.data import Listed, Request, parts
from archscope.training.pictures import ENDINGS

ARGUMENT = "a folder"
VALIDATION = ("val", "valid", "validation")
_LAYOUT = "PATH/CLASS/picture.jpg, or the same in PATH/train, PATH/val and PATH/test"


def splits(request: Request) -> dict[str, Listed]:
    """The splits that the folder has, or one that is held out. Raises ArchscopeError where it holds no two classes."""
    folder = _folder(request.argument)
    names = {each.name for each in _folders(folder)}
    if "train" not in names:
        return parts(_classes(folder), request)
    train = _classes(folder / "train")
    held = next((name for name in VALIDATION if name in names), None)
    test = {"test": _like(train, folder / "test")} if "test" in names else {}
    if held is None:
        return {**parts(train, request), **test}
    return {"train": train, "validation": _like(train, folder / held), **test}


def _folder(argument: str) -> Path:
    if not argument:
        raise UsageError(Problem("bad-value", "--data is 'folder' without a path", expected="folder:PATH"))
    folder = Path(argument).expanduser()
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "is not there"
        raise ArchscopeError(Problem("no-data", f"the folder {str(folder)!r} {what}", expected=_LAYOUT))
    return folder


def _classes(folder: Path) -> Listed:
    """All pictures of a folder of classes, which are called like their folders, in the order of these names."""
    classes = tuple(each.name for each in _folders(folder))
    if not classes:
        what = "pictures and no folder of a class" if _pictures(folder) else "nothing that could be a class"
        raise ArchscopeError(Problem("no-data", f"{str(folder)!r} holds {what}", expected=_LAYOUT))
    if len(classes) == 1:
        message = f"{str(folder)!r} holds one class only, {classes[0]!r}, and telling apart takes two"
        raise ArchscopeError(Problem("one-class", message, expected=_LAYOUT))
    return _listed(folder, classes, classes)


def _like(train: Listed, folder: Path) -> Listed:
    """All pictures of another split. Raises ArchscopeError for a class that the training split does not have."""
    here = tuple(each.name for each in _folders(folder))
    foreign = [name for name in here if name not in train.classes]
    if foreign:
        message = f"{str(folder)!r} has {foreign[0]!r}, which is no class of the training pictures"
        raise ArchscopeError(Problem("unknown-class", message, expected=", ".join(train.classes)))
    if not here:
        raise ArchscopeError(Problem("no-data", f"{str(folder)!r} holds no folder of a class", expected=_LAYOUT))
    return _listed(folder, here, train.classes)


def _listed(folder: Path, here: tuple[str, ...], classes: tuple[str, ...]) -> Listed:
    paths, labels = list[Path](), list[int]()
    for name in here:
        own = _pictures(folder / name)
        if not own:
            message = f"the class {name!r} has no picture in {str(folder / name)!r}"
            raise ArchscopeError(Problem("no-data", message, expected=f"files that end in {', '.join(ENDINGS)}"))
        paths += own
        labels += [classes.index(name)] * len(own)
    return Listed(tuple(paths), tuple(labels), classes)


def _pictures(folder: Path) -> list[Path]:
    """Files that end as pictures do, at any depth, in an order that every system has.

    Raises ArchscopeError for a folder that is a link to one around it, up to the whole disk.
    """
    if folder.is_symlink() and folder.absolute().parent.resolve().is_relative_to(folder.resolve()):
        raise ArchscopeError(Problem("no-data", f"{str(folder)!r} is a link to a folder that it lies in"))
    files = (path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file())
    return sorted((path for path in files if not path.name.startswith(".")), key=Path.as_posix)


def _folders(folder: Path) -> list[Path]:
    """The folders in a folder, hidden ones aside, by name."""
    return sorted((each for each in folder.iterdir() if each.is_dir() and not each.name.startswith(".")), key=str)

"""What the arguments of a command mean: the products that they name, hold or list."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import typer


def products(arguments: Iterable[str]) -> Iterator[Path | str]:
    """Find the products that arguments mean, each once.

    Args:
        arguments: SAFE folders, zips of them, folders that hold some, addresses of products in
            buckets and on web servers, or ``@LIST``, a text file with one of these a line.

    Returns:
        Paths of what lies here, addresses of what does not.

    Raises:
        typer.BadParameter: Something is not there, or no product.
    """
    from producer.staging import is_remote  # noqa: PLC0415 - help must not wait for it

    seen: set[Path | str] = set()
    for argument in arguments:
        for line in _listed(argument):
            found = [line.rstrip("/")] if is_remote(line) else _within(Path(line))
            for product in found:
                place = product.absolute() if isinstance(product, Path) else product
                if place not in seen:
                    seen.add(place)
                    yield product


def _listed(argument: str) -> Iterator[str]:
    if not argument.startswith("@"):
        yield argument
        return
    try:
        lines = Path(argument[1:]).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"the list {argument[1:]} cannot be read: {error}") from error
    yield from (line.strip() for line in lines if line.strip())


def _within(path: Path) -> list[Path]:
    from producer.errors import ProductNameError  # noqa: PLC0415
    from producer.product import ProductName  # noqa: PLC0415

    if not path.exists():
        raise typer.BadParameter(f"{path} is not there")
    if path.is_file() or path.suffix == ".SAFE" or (path / "manifest.safe").exists():
        return [path]
    found = []
    for child in sorted(path.rglob("S2*")):
        try:
            ProductName.parse(child.name)
        except ProductNameError:
            continue
        if child.suffix in (".SAFE", ".zip"):
            found.append(child)
    if not found:
        raise typer.BadParameter(f"{path} is no product and holds none")
    return found

"""Products in, masks out: SAFE reading, engines, COGs and their records.

The public way in is three lines::

    from producer import mask_product

    record = mask_product("S2A_MSIL1C_....SAFE", "masks/")
    print(record.engine.name, record.pixels, record.files["mask"].key)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from producer.masking import mask_product

__all__ = ["mask_product"]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    # Loaded when asked for: a tile server that wants the class list has no engine.
    if name == "mask_product":
        from producer.masking import mask_product  # noqa: PLC0415

        return mask_product
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

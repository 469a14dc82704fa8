"""The class list that every stage shares."""

from producer.classes import CLASSES, VALID_CLASSES, MaskClass


def test_the_values_are_kappamasks_own() -> None:
    # KappaMask's user manual, output TIFF.
    assert [int(value) for value in MaskClass] == [0, 1, 2, 3, 4, 5]
    assert MaskClass.SEMI_TRANSPARENT == 3
    assert MaskClass.CLOUD == 4


def test_every_class_has_one_name_and_one_colour_in_the_order_of_its_value() -> None:
    assert [info.value for info in CLASSES] == list(MaskClass)
    assert [info.name for info in CLASSES] == [value.name.lower() for value in MaskClass]
    assert len({info.color for info in CLASSES}) == len(CLASSES)


def test_no_data_is_invisible_and_says_nothing_of_the_sky() -> None:
    assert CLASSES[MaskClass.NO_DATA].color[3] == 0
    assert set(MaskClass) - set(VALID_CLASSES) == {MaskClass.NO_DATA, MaskClass.MISSING}


def test_a_colour_is_six_hexadecimal_digits_for_stac() -> None:
    assert CLASSES[MaskClass.CLEAR].hex == "66A61E"

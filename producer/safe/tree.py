"""Metadata files as trees, with errors that say which element of which file is wrong."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from producer.errors import MetadataError
from producer.safe.archive import Files


@dataclass(frozen=True, slots=True)
class Tree:
    """A metadata file; elements are named without their namespace, anywhere below the root."""

    source: str
    name: str
    root: Element

    @classmethod
    def read(cls, files: Files, name: str) -> "Tree":
        """Read a metadata file.

        Raises:
            MetadataError: It is not there, is no XML, or declares entities.
        """
        text = files.read_xml(name)
        try:
            return cls(files.source, name, fromstring(text, forbid_dtd=True))
        except DefusedXmlException as error:
            problem = f"{name} declares a document type or entities, which ESA's never do"
            raise MetadataError(files.source, problem) from error
        except (ParseError, LookupError, ValueError) as error:
            raise MetadataError(files.source, f"{name} is no XML: {error}") from error

    def fail(self, problem: str) -> MetadataError:
        """Compose an error about this file."""
        return MetadataError(self.source, f"{self.name}: {problem}")

    def all(self, tag: str) -> Iterator[Element]:
        """Go through the elements of a name, in the order of the file."""
        return self.root.iterfind(f".//{{*}}{tag}")

    def find(self, tag: str) -> Element | None:
        """Give the first element of a name."""
        return next(self.all(tag), None)

    def text(self, tag: str) -> str:
        """Read the first element of a name.

        Raises:
            MetadataError: It is not there or empty.
        """
        element = self.find(tag)
        found = "" if element is None else (element.text or "").strip()
        if not found:
            raise self.fail(f"{tag} is missing")
        return found

    def number(self, element: Element) -> float:
        """Read a finite number.

        Raises:
            MetadataError: It is none.
        """
        try:
            value = float(element.text or "")
        except ValueError as error:
            raise self.fail(f"{element.tag} is {element.text!r}, no number") from error
        if not isfinite(value):
            raise self.fail(f"{element.tag} is {element.text!r}, no finite number")
        return value

    def child_number(self, parent: Element, tag: str) -> float:
        """Read a number among the children of an element.

        Raises:
            MetadataError: It is not there, or no number.
        """
        child = parent.find(f"{{*}}{tag}")
        if child is None:
            raise self.fail(f"{tag} is missing in {parent.tag}")
        return self.number(child)

    def time(self, tag: str) -> datetime:
        """Read a time, UTC.

        Raises:
            MetadataError: It is not there, or no time.
        """
        text = self.text(tag)
        try:
            value = datetime.fromisoformat(text)
        except ValueError as error:
            raise self.fail(f"{tag} is {text!r}, no time") from error
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

"""Reads, sets and removes one simple property of an XMP packet, and leaves all else as it is.

XMP is RDF/XML (ISO 16684-1). A simple property is written either as an attribute of an `rdf:Description` or
as an element inside one; both forms are read and replaced. It is written here because python-xmp-toolkit
needs a library in C, which pip does not bring, and writes the whole packet anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.dom import minidom
from xml.parsers import expat
from xml.parsers.expat import ExpatError

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XMLNS = "http://www.w3.org/2000/xmlns/"
"""The namespace of namespace declarations themselves."""
_MOST_BYTES = 16 * 2**20
"""Bytes of a packet: a longer one counts as unreadable, a shorter one is looked into. Set above what raw
developers write with masks and history; not measured."""
_MOST_NODES = 50_000
"""Elements, attributes and remarks of a packet: with more it counts as unreadable, with fewer it is read.
Each takes about 60 microseconds. Set so that a packet takes at most a few seconds."""
_MOST_DEPTH = 64
"""Elements within each other: deeper packets count as unreadable, others are read. XMP's own structures go to
about ten; Python's recursion ends near 300."""
_EMPTY = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}"></rdf:RDF></x:xmpmeta>'
_HEAD = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
_TAIL = '\n<?xpacket end="w"?>'


@dataclass(frozen=True)
class Name:
    """A property's name: namespace address, the usual prefix for it, and the local part."""

    namespace: str
    prefix: str
    local: str


def get_property(packet: bytes, name: Name) -> str | None:
    """Returns the property's text, or None if the packet lacks it or cannot be read."""
    document = _parse(packet)
    if document is None:
        return None
    for description in _descriptions(document):
        if description.hasAttributeNS(name.namespace, name.local):
            return description.getAttributeNS(name.namespace, name.local)
        for element in _property_elements(description, name):
            return "".join(n.data for n in element.childNodes if isinstance(n, minidom.Text))
    return None


def is_readable(packet: bytes) -> bool:
    """Tells whether a packet is XMP within the limits of size, number and depth of its elements."""
    return _parse(packet) is not None


def drop_property(packet: bytes, name: Name) -> bytes:
    """Returns the packet without the property; the very same bytes if it was not there."""
    return drop_properties(packet, [name])


def drop_properties(packet: bytes, names: Iterable[Name]) -> bytes:
    """Returns the packet without the properties; the very same bytes if none was there."""
    document = _parse(packet)
    if document is None or not any([_remove(document, name) for name in names]):
        return packet
    return _serialise(document)


def set_property(packet: bytes, name: Name, value: str) -> bytes:
    """Returns the packet with the property set to `value`, in place of any value that it had.

    A packet that is empty or no readable XMP is replaced by a new one.
    """
    document = _parse(packet) or minidom.parseString(_EMPTY)
    about = next((d.getAttributeNS(_RDF, "about") for d in _descriptions(document)), "")
    _remove(document, name)
    rdf = document.getElementsByTagNameNS(_RDF, "RDF")[0]
    description = document.createElementNS(_RDF, "rdf:Description")
    description.setAttributeNS(_XMLNS, "xmlns:rdf", _RDF)
    description.setAttributeNS(_RDF, "rdf:about", about)
    description.setAttributeNS(_XMLNS, f"xmlns:{name.prefix}", name.namespace)
    element = document.createElementNS(name.namespace, f"{name.prefix}:{name.local}")
    element.appendChild(document.createTextNode(value))
    description.appendChild(element)
    rdf.appendChild(description)
    return _serialise(document)


def add_description(packet: bytes, description: str) -> bytes:
    """Returns the packet with an `rdf:Description` more, which declares its own namespaces.

    A packet that is empty or no readable XMP is replaced by a new one.
    """
    document = _parse(packet) or minidom.parseString(_EMPTY)
    root = minidom.parseString(description).documentElement
    if root is not None:
        document.getElementsByTagNameNS(_RDF, "RDF")[0].appendChild(document.importNode(root, True))
    return _serialise(document)


def _parse(packet: bytes) -> minidom.Document | None:
    if len(packet) > _MOST_BYTES:
        return None
    # XMP has no document type; one here could only be an entity bomb
    letters = packet.replace(b"\0", b"")
    if b"<!DOCTYPE" in letters or b"<!ENTITY" in letters:
        return None
    # padding with NUL is common, but in UTF-16 the last NUL is half a letter
    for candidate in (packet.strip(b"\0 \t\r\n"), packet):
        try:
            if not _within_limits(candidate):
                return None
            document = minidom.parseString(candidate)
        except (ExpatError, ValueError, LookupError):
            continue
        return document if document.getElementsByTagNameNS(_RDF, "RDF") else None
    return None


class _TooMuchError(Exception):
    """A packet has too many nodes, or too many within each other."""


def _within_limits(packet: bytes) -> bool:
    """Tells whether a packet may be made into a tree: expat reads it once and keeps nothing.

    Raises:
        ExpatError: it is no XML.
    """
    nodes = depth = 0

    def count(added: int) -> None:
        nonlocal nodes
        nodes += added
        if nodes > _MOST_NODES:
            raise _TooMuchError

    def opened(_name: str, attributes: list[str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _MOST_DEPTH:
            raise _TooMuchError
        count(1 + len(attributes) // 2)

    def closed(_name: str) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.ordered_attributes = True
    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.CommentHandler = lambda _text: count(1)
    parser.ProcessingInstructionHandler = lambda _target, _text: count(1)
    parser.StartNamespaceDeclHandler = lambda _prefix, _uri: count(1)
    try:
        parser.Parse(packet, True)
    except _TooMuchError:
        return False
    return True


def _serialise(document: minidom.Document) -> bytes:
    root = document.documentElement
    if root is None:
        raise ValueError("an XMP packet has no root element")
    return f"{_HEAD}{root.toxml()}{_TAIL}".encode()


def _descriptions(document: minidom.Document) -> Iterator[minidom.Element]:
    """Yields top-level descriptions alone: nested ones describe parts of a structured value."""
    for rdf in document.getElementsByTagNameNS(_RDF, "RDF"):
        for node in rdf.childNodes:
            if (
                isinstance(node, minidom.Element)
                and node.namespaceURI == _RDF
                and node.localName == "Description"
            ):
                yield node


def _property_elements(description: minidom.Element, name: Name) -> list[minidom.Element]:
    return [
        node
        for node in description.childNodes
        if isinstance(node, minidom.Element)
        and node.namespaceURI == name.namespace
        and node.localName == name.local
    ]


def _remove(document: minidom.Document, name: Name) -> bool:
    removed = False
    for description in list(_descriptions(document)):
        elements = _property_elements(description, name)
        is_attribute = description.hasAttributeNS(name.namespace, name.local)
        for element in elements:
            description.removeChild(element)
        if is_attribute:
            description.removeAttributeNS(name.namespace, name.local)
        if elements or is_attribute:
            removed = True
            if _is_hollow(description) and description.parentNode is not None:
                description.parentNode.removeChild(description)
    return removed


def _is_hollow(description: minidom.Element) -> bool:
    attributes = (description.attributes.item(i) for i in range(description.attributes.length))
    states = any(a is not None and a.namespaceURI not in (_XMLNS, _RDF) for a in attributes)
    return not states and not any(isinstance(node, minidom.Element) for node in description.childNodes)

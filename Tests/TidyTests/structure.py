#!/usr/bin/env python3
"""The arrows between the folders of Sources, read from the index that the compiler writes while it builds.

    structure.py INDEX-STORE LIBRARY SOURCES

A line for each pair of folders of which one uses the other: FROM, TO, how often, one example; separated by tabs. What it
cannot see: code that the compiler left out (`#if canImport`), names in comments, and files built without an index.
INDEX-STORE is .build/.../index/store, LIBRARY the toolchain's libIndexStore. The functions that are called, and the
numbers of roles and kinds, are those of clang's indexstore.h.
"""
import collections, ctypes, os, sys

DEFINITION, REFERENCE, RECORD = 2, 4, 2


class Text(ctypes.Structure):
    """indexstore_string_ref_t: bytes and their number."""
    _fields_ = [("data", ctypes.c_void_p), ("length", ctypes.c_size_t)]

    def __str__(self):
        return ctypes.string_at(self.data, self.length).decode() if self.data else ""


Pointer = ctypes.c_void_p
OnText = ctypes.CFUNCTYPE(ctypes.c_bool, Pointer, Text)
OnPointer = ctypes.CFUNCTYPE(ctypes.c_bool, Pointer, Pointer)
SIGNATURES = {
    "store_create": (Pointer, ctypes.c_char_p, ctypes.POINTER(Pointer)),
    "store_units_apply_f": (ctypes.c_bool, Pointer, ctypes.c_uint, Pointer, OnText),
    "unit_reader_create": (Pointer, Pointer, ctypes.c_char_p, ctypes.POINTER(Pointer)),
    "unit_reader_get_main_file": (Text, Pointer),
    "unit_reader_dependencies_apply_f": (ctypes.c_bool, Pointer, Pointer, OnPointer),
    "unit_dependency_get_kind": (ctypes.c_int, Pointer),
    "unit_dependency_get_name": (Text, Pointer),
    "unit_dependency_get_filepath": (Text, Pointer),
    "record_reader_create": (Pointer, Pointer, ctypes.c_char_p, ctypes.POINTER(Pointer)),
    "record_reader_occurrences_apply_f": (ctypes.c_bool, Pointer, Pointer, OnPointer),
    "occurrence_get_symbol": (Pointer, Pointer),
    "occurrence_get_roles": (ctypes.c_uint64, Pointer),
    "symbol_get_usr": (Text, Pointer),
    "symbol_get_name": (Text, Pointer),
}


class Index:
    def __init__(self, store, library):
        self.library = ctypes.CDLL(library)
        for name, (result, *arguments) in SIGNATURES.items():
            function = getattr(self.library, "indexstore_" + name)
            function.restype, function.argtypes = result, arguments
        self.error = Pointer()
        self.store = self.call("store_create", store.encode(), ctypes.byref(self.error))
        if not self.store:
            sys.exit(f"structure: no index at {store}")

    def call(self, name, *arguments):
        return getattr(self.library, "indexstore_" + name)(*arguments)

    def files(self, root):
        """Each source file with the names of its records."""
        names = []
        self.call("store_units_apply_f", self.store, 1, None, OnText(lambda _, name: names.append(str(name)) or True))
        for name in names:
            unit = self.call("unit_reader_create", self.store, name.encode(), ctypes.byref(self.error))
            path = str(self.call("unit_reader_get_main_file", unit)) if unit else ""
            # A file that was moved since has an old unit still.
            if path.startswith(root) and os.path.exists(path):
                yield path, self.records(unit, path)

    def records(self, unit, path):
        found = []

        def note(_, dependency):
            if (self.call("unit_dependency_get_kind", dependency) == RECORD
                    and str(self.call("unit_dependency_get_filepath", dependency)) == path):
                found.append(str(self.call("unit_dependency_get_name", dependency)))
            return True

        self.call("unit_reader_dependencies_apply_f", unit, None, OnPointer(note))
        return found

    def occurrences(self, record):
        """Roles, the symbol's own name in the index, and its name in the code."""
        reader = self.call("record_reader_create", self.store, record.encode(), ctypes.byref(self.error))
        found = []

        def note(_, occurrence):
            symbol = self.call("occurrence_get_symbol", occurrence)
            found.append((self.call("occurrence_get_roles", occurrence), str(self.call("symbol_get_usr", symbol)),
                          str(self.call("symbol_get_name", symbol))))
            return True

        if reader:
            self.call("record_reader_occurrences_apply_f", reader, None, OnPointer(note))
        return found


def arrows(index, root):
    """How often the files of one folder use what another defines, with an example."""
    definitions, references = {}, []
    for path, records in index.files(root):
        for roles, symbol, name in (found for record in records for found in index.occurrences(record)):
            if roles & DEFINITION:
                definitions.setdefault(symbol, path[len(root):])
            if roles & REFERENCE:
                references.append((path[len(root):], symbol, name))
    found = collections.defaultdict(list)
    for file, symbol, name in references:
        place = definitions.get(symbol)
        if place and os.path.dirname(place) != os.path.dirname(file):
            found[os.path.dirname(file), os.path.dirname(place)].append(f"{os.path.basename(file)} uses {name}")
    return found


if __name__ == "__main__":
    store, library, sources = sys.argv[1:]
    for (start, end), uses in sorted(arrows(Index(store, library), os.path.realpath(sources) + "/").items()):
        print(start, end, len(uses), uses[0], sep="\t")

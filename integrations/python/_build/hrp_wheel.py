"""Builds the wheel of this folder: a PEP 517 backend of one file, without dependencies.

Everything comes from pyproject.toml. Modules lie in src/; files right in src/ that end in .pth go beside them. The same
sources always give the same bytes.
"""

import base64
import hashlib
import io
import os
import pathlib
import stat
import sys
import tarfile
import zipfile

HERE = pathlib.Path.cwd()
SOURCES = "src"
# Files of a wheel carry this date: the earliest that a zip archive can hold.
DATE = (1980, 1, 1, 0, 0, 0)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """Builds the wheel, and gives its name."""
    project = read_project()
    files = {name: path.read_bytes() for name, path in source_files()}
    return write_wheel(project, files, wheel_directory)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    """Builds a wheel that leads to this folder (pip install -e)."""
    project = read_project()
    files = {name: path.read_bytes() for name, path in source_files() if "/" not in name}
    files[f"_{module_name(project)}.pth"] = f"{HERE / SOURCES}\n".encode()
    return write_wheel(project, files, wheel_directory)


def build_sdist(sdist_directory, config_settings=None):
    """Builds the archive of the sources, and gives its name."""
    project = read_project()
    folder = f"{module_name(project)}-{project['version']}"
    names = ["pyproject.toml", "README.md", "_build/hrp_wheel.py"] + [f"{SOURCES}/{name}" for name, _ in source_files()]
    contents = {f"{folder}/{name}": (HERE / name).read_bytes() for name in names}
    contents[f"{folder}/PKG-INFO"] = metadata_text(project).encode()
    with tarfile.open(os.path.join(sdist_directory, folder + ".tar.gz"), "w:gz") as archive:
        for name in sorted(contents):
            info = tarfile.TarInfo(name)
            info.size = len(contents[name])
            archive.addfile(info, io.BytesIO(contents[name]))
    return folder + ".tar.gz"


def read_project():
    """The table [project] of pyproject.toml."""
    if sys.version_info < (3, 11):
        raise SystemExit("Build this wheel with Python 3.11 or newer; the wheel then installs with Python 3.10 too.")
    import tomllib

    return tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def module_name(project):
    """The name of the distribution as file names have it."""
    return project["name"].replace("-", "_")


def source_files():
    """Every file of src/, as pairs of its name in the wheel and its path, in order."""
    root = HERE / SOURCES
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.suffix in {".py", ".pth", ".typed"}:
            yield path.relative_to(root).as_posix(), path


def metadata_text(project):
    """The file METADATA (core metadata 2.1)."""
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {project['name']}",
        f"Version: {project['version']}",
        f"Summary: {project['description']}",
        f"Requires-Python: {project['requires-python']}",
        "Description-Content-Type: text/markdown",
    ]
    lines += [f"Requires-Dist: {one}" for one in project.get("dependencies", [])]
    return "\n".join(lines) + "\n\n" + (HERE / project["readme"]).read_text(encoding="utf-8")


def write_wheel(project, files, directory):
    """Writes the wheel, with its list of checksums as the last file."""
    name = f"{module_name(project)}-{project['version']}"
    info = f"{name}.dist-info"
    files = dict(sorted(files.items()))
    files[f"{info}/METADATA"] = metadata_text(project).encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: hrp_wheel\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = [f"{one},sha256={digest(content)},{len(content)}" for one, content in files.items()]
    files[f"{info}/RECORD"] = ("\n".join(record) + f"\n{info}/RECORD,,\n").encode()
    file_name = f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(directory, file_name), "w", zipfile.ZIP_DEFLATED) as archive:
        for one, content in files.items():
            entry = zipfile.ZipInfo(one, DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, content)
    return file_name


def digest(content):
    """The SHA-256 as wheels write it."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()

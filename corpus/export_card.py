"""The pages beside exported files: a dataset card as the hub reads it, and a Croissant description.

README.md        YAML head (licences, languages, size, one configuration per source and one for all), then tables
croissant.json   Croissant 1.0 (JSON-LD): every Parquet file with its sha256, and a record set per source

Everything follows from the sealed manifest and from what was counted: no clock, no machine. Names of languages stand in
quotes, since YAML reads `no` as false.
"""

import itertools
import json
from typing import TYPE_CHECKING, Any

from corpus.export_rows import SCHEMA
from corpus.progress import printable

if TYPE_CHECKING:
    from corpus.export import Exported

NAMES = ("README.md", "croissant.json")
_SUFFIX = {"parquet": "parquet", "jsonl": "jsonl.zst"}
# Licences that the hub knows, by their SPDX names in lower case; any other is `other` there, and named in the table.
_KNOWN = frozenset(
    [
        *(
            "apache-2.0",
            "mit",
            "cc0-1.0",
            "unlicense",
            "isc",
            "zlib",
            "wtfpl",
            "artistic-2.0",
            "pddl",
            "odbl",
            "odc-by",
        ),
        *("cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nd-4.0"),
        *("cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0"),
        *("cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "gfdl"),
        *("bsd", "bsd-2-clause", "bsd-3-clause", "gpl", "gpl-2.0", "gpl-3.0", "lgpl", "lgpl-2.1", "lgpl-3.0"),
        *("agpl-3.0", "mpl-2.0"),
    ]
)
_HUB = {"odc-by-1.0": "odc-by", "odbl-1.0": "odbl", "pddl-1.0": "pddl"}
_SIZES = [
    (10**n, name) for n, name in enumerate(["1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T"], 3)
]


def pages(manifest: dict[str, Any], done: "Exported") -> dict[str, bytes]:
    """Name -> content."""
    found = {"README.md": card(manifest, done).encode()}
    if done.kind == "parquet":
        found["croissant.json"] = json.dumps(croissant(manifest, done), indent=1, ensure_ascii=False).encode() + b"\n"
    return found


# -- the card ----------------------------------------------------------------------------------------------------------


def card(manifest: dict[str, Any], done: "Exported") -> str:
    """Markdown with its YAML head."""
    sources = {s["name"]: s for s in manifest["sources"]}
    return "\n".join([*_head(sources, done), "", *_body(manifest, sources, done)]) + "\n"


def _head(sources: dict[str, Any], done: "Exported") -> list[str]:
    licences = sorted({hub_licence(sources[name]["licence"]) for name, counts in done.counts.items() if counts})
    total = done.total
    lines = ["---", f"pretty_name: {_quoted(done.name)}", "license:", *(f"- {name}" for name in licences or ["other"])]
    spoken = sorted(name for name in done.languages if name)
    if spoken:
        lines += ["language:", *(f"- {_quoted(name)}" for name in spoken)]
    lines += ["task_categories:", "- text-generation", "size_categories:", f"- {size_category(total.documents)}"]
    if done.kind in _SUFFIX:
        lines += [
            "configs:",
            *_config("default", "*", {s for counts in done.counts.values() for s in counts}, done.kind),
        ]
        for name, counts in done.counts.items():
            if counts and name != "default":
                lines += _config(name, name, set(counts), done.kind)
    return [*lines, "---"]


def _config(name: str, folder: str, splits: set[str], kind: str) -> list[str]:
    lines = [f"- config_name: {_quoted(name)}", "  data_files:"]
    for split in sorted(splits, reverse=True):  # train first
        lines += [f"  - split: {split}", f"    path: {_quoted(f'data/{folder}/{split}-*.{_SUFFIX[kind]}')}"]
    return lines


def _body(manifest: dict[str, Any], sources: dict[str, Any], done: "Exported") -> list[str]:
    total = done.total
    lines = [
        f"# {done.name}",
        "",
        f"{total.documents:,} documents, {total.text_bytes:,} bytes of text, {total.tokens:,} tokens"
        f"{_tokenizer(manifest)}.",
        f"Exported from the sealed build whose `manifest.json` has the sha256 `{done.manifest}`.",
        "",
        "Texts are those of their sources; their licences stand in the table. What a licence asks for, such as naming",
        "authors, is for whoever passes the texts on: `url`, `path` and `record` say where each one is from.",
        "",
        "| source | licence | snapshot | split | documents | bytes of text | tokens |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, counts in done.counts.items():
        for split in sorted(counts, reverse=True):
            told = sources[name]
            count = counts[split]
            lines.append(
                f"| {name} | {_cell(told['licence'] or 'not stated')} | {_cell(told['snapshot'])} | {split} | "
                f"{count.documents:,} | {count.text_bytes:,} | {count.tokens:,} |"
            )
    lines += ["", "| language | documents | bytes of text |", "|---|---|---|"]
    for name, count in sorted(done.languages.items(), key=lambda item: (-item[1].text_bytes, item[0])):
        lines.append(f"| {_cell(name or 'not told')} | {count.documents:,} | {count.text_bytes:,} |")
    lines += ["", "## Columns", "", *_columns(), "", "## What was left out", ""]
    lines += ["| source | stage | in | kept | dropped |", "|---|---|---|---|---|"]
    for source in manifest["sources"]:
        for flow in source["funnel"]:
            dropped = ", ".join(
                f"{code} {n:,}" for code, n in sorted(flow["dropped"].items(), key=lambda x: (-x[1], x[0]))
            )
            if dropped or flow["stage"] == "read" or flow["made"] not in (0, flow["rows"]):
                kept = f"{flow['made']:,} parts" if flow["made"] else f"{flow['kept']:,}"
                lines.append(f"| {source['name']} | {flow['stage']} | {flow['rows']:,} | {kept} | {_cell(dropped)} |")
    chain = " → ".join(f"`{label}`" for label in _stages(manifest))
    return [*lines, "", f"Stages: {chain}."]


def _columns() -> list[str]:
    told = {
        "id": "128 bits in hexadecimal, from source, file and record",
        "text": "the document",
        "url": "of the page, or null",
        "source": "as in the table above",
        "language": "as language identification has it, or null",
        "licence": "of the source",
        "path": "the input file, relative to the root of the source",
        "record": "ordinal of the record in that file",
        "tokens": "number of token ids, without the end of the document; null where nothing was encoded",
    }
    return ["| column | type | |", "|---|---|---|", *(f"| `{f.name}` | {f.type} | {told[f.name]} |" for f in SCHEMA)]


def _stages(manifest: dict[str, Any]) -> list[str]:
    """Labels of all stages, in an order that every chain follows."""
    found: list[str] = []
    for source in manifest["sources"]:
        at = 0
        for step in source["chain"]:
            if step["stage"] in found:
                at = found.index(step["stage"]) + 1
            else:
                found.insert(at, step["stage"])
                at += 1
    return found


def _tokenizer(manifest: dict[str, Any]) -> str:
    told = manifest.get("tokenizer")
    return f" of `{_cell(told['name'])}`" if told else ""


def _cell(text: str) -> str:
    """What a manifest says, in a table: no line breaks, no bars, no control characters."""
    return printable(text).replace("|", "\\|").replace("<", "&lt;")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a YAML string


def hub_licence(licence: str) -> str:
    """An SPDX name as the hub writes it; `other` for what it does not know."""
    name = licence.lower()
    name = _HUB.get(name, name)
    return name if name in _KNOWN else "other"


def size_category(documents: int) -> str:
    """The hub's class of a number of rows."""
    if documents < 1000:
        return "n<1K"
    for (_, low), (limit, high) in itertools.pairwise(_SIZES):
        if documents < limit:
            return f"{low}<n<{high}"
    return "n>1T"


# -- Croissant ---------------------------------------------------------------------------------------------------------

# The context of Croissant 1.0, as its specification gives it.
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
} | {
    name: f"cr:{name}"
    for name in (
        *("citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject", "fileSet"),
        *("format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet"),
        *("references", "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField", "transform"),
    )
}


def croissant(manifest: dict[str, Any], done: "Exported") -> dict[str, Any]:
    """The description, as JSON: files by digest, file sets by source, a record set for each with the columns."""
    files = [f for f in done.files if f.path.endswith(".parquet")]
    sources = [name for name, counts in done.counts.items() if counts]
    licences = sorted({s["licence"] for s in manifest["sources"] if s["name"] in sources and s["licence"]})
    total = done.total
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": done.name,
        "description": f"{total.documents:,} documents, {total.text_bytes:,} bytes of text.",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "license": [spdx(name) for name in licences] or ["not stated"],
        "version": f"1.0.0+{done.manifest[:16]}",
        "distribution": [
            *(
                {
                    "@type": "cr:FileObject",
                    "@id": file.path,
                    "name": file.path,
                    "contentUrl": file.path,
                    "contentSize": f"{file.bytes} B",
                    "encodingFormat": "application/x-parquet",
                    "sha256": file.sha256,
                }
                for file in files
            ),
            *(
                {
                    "@type": "cr:FileSet",
                    "@id": f"files-{name}",
                    "name": f"files-{name}",
                    "encodingFormat": "application/x-parquet",
                    "includes": f"data/{name}/*.parquet",
                }
                for name in sources
            ),
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": name,
                "name": name,
                "key": {"@id": f"{name}/id"},
                "field": [
                    {
                        "@type": "cr:Field",
                        "@id": f"{name}/{field.name}",
                        "name": f"{name}/{field.name}",
                        "dataType": "sc:Integer" if str(field.type).startswith("int") else "sc:Text",
                        "source": {"fileSet": {"@id": f"files-{name}"}, "extract": {"column": field.name}},
                    }
                    for field in SCHEMA
                ],
            }
            for name in sources
        ],
    }


def spdx(licence: str) -> str:
    """A licence as an address, where SPDX has it."""
    return licence if licence.startswith("LicenseRef-") else f"https://spdx.org/licenses/{licence}.html"

"""The result of the study as one page of Markdown."""

from typing import Any

TARGET = 0.99


def page(record: dict[str, Any]) -> str:
    machine = record["machine"]
    peers = {peer["language"]: peer for peer in record["peers"]}
    lines = [
        f"# Decontamination on planted benchmark items, {record['at']}",
        "",
        f"{machine['cpu']}, {machine['cores']} cores, commit {record['commit']}, `{record['command']}`",
        "",
        "Items of benchmarks in real documents, each once. `long enough`: what was planted has 13 units or more, so",
        "it can be found at all. `found`: a passage lies in it. `gone`: the share of its bytes that is cut, or dropped",
        "with the document. `elsewhere`: passages in the rest of these documents, which real pages share with items.",
        f"The target is {TARGET:.0%} for all but edited and short items."
        + (" datatrove drops a document for one gram of 13 words (jieba's in Chinese)." if peers else ""),
        "",
        "| language | planted | items | long enough | found | recall | gone | dropped | elsewhere | datatrove |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in record["planted"]:
        peer = peers.get(row["language"])
        theirs = f"{peer['found'].get(row['kind'], 0) / row['planted']:.3f}" if peer else ""
        lines.append(
            f"| {row['language']} | {row['kind']} | {row['planted']} | {row['long_enough']} | {row['found']} | "
            f"{row['found'] / row['planted']:.3f} | {row['gone']:.3f} | {row['documents_dropped']} | "
            f"{row['passages_elsewhere']} | {theirs} |"
        )
    known = record["known"]
    lines += [
        "",
        f"Known copies: {known['copies']} documents of {known['set']} hold an item of {known['benchmark']}, letter "
        f"by letter; {known['found']} are found. Of the other {known['other_documents']} documents "
        f"{known['other_documents_found']} have a passage in common with some item.",
        "",
        "Sets as they are, against all benchmarks: what is taken, and for passages of how many grams. One of 13 grams",
        "has 25 units in common with an item: it is a copy. One gram may be a phrase.",
        "",
        "| set | documents | cut | dropped | characters lost | one gram | 2 to 12 | 13 or more |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in record["clean"]:
        passages = " | ".join(f"{row['passages'][name]}" for name in ("one gram", "2 to 12", "13 or more"))
        lines.append(
            f"| {row['set']} | {row['documents']:,} | {row['documents_cut']} | {row['documents_dropped']} | "
            f"{row['share_lost']:.4%} | {passages} |"
        )
    kinds = list(record["lengths"][0]["found"])
    lines += [
        "",
        f"Grams of other lengths: characters lost of the sets above without {known['set']}, and recall.",
        "",
        f"| units | language | characters lost | {' | '.join(kinds)} |",
        f"|---:|---|---:|{'---:|' * len(kinds)}",
    ]
    for row in record["lengths"]:
        recall = " | ".join(f"{row['found'][kind]:.3f}" for kind in kinds)
        lines.append(f"| {row['units']} | {row['language']} | {row['share_lost']:.4%} | {recall} |")
    lines += ["", "| what | language | MB | MB/s of one core |", "|---|---|---:|---:|"]
    for row in record["speed"]:
        if "mb" in row:
            lines.append(f"| {row['what']} | {row['language']} | {row['mb']:.1f} | {row['mb_per_s']:.1f} |")
    lines += [f"| datatrove | {peer['language']} | | {peer['mb_per_s']:.2f} |" for peer in record["peers"]]
    table = record["speed"][0]
    lines += ["", f"The table of {table['grams']:,} grams is made in {table['seconds']:.1f} s.", ""]
    lines += [
        f"datatrove drops {peer['clean_dropped']} of {peer['clean_documents']} documents of {peer['clean']}."
        for peer in record["peers"]
    ]
    lines += ["", "Passages in documents in which nothing was planted, every n-th by length:", ""]
    for grams, where, benchmark, item, documents, gram in record["passages"]:
        shown = "".join(c if c.isprintable() else " " for c in gram).replace("`", "'")
        lines.append(f"- {where}, {benchmark} item {item}, {grams} grams, in {documents} documents: `{shown}`")
    return "\n".join(lines) + "\n"

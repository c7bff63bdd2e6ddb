"""Two curves as SVG, written by hand: cost per document and peak memory, over the number of documents (log axis)."""

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10

_WIDE, _HIGH = 420, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 14, 34, 46
_COLOURS = ("#1b6ca8", "#c2571a", "#5a8f29")

Series = tuple[str, Sequence[float]]


def plot(sizes: Sequence[int], panels: Sequence[tuple[str, Sequence[Series], float | None]]) -> str:
    """A panel for each (title, series of values at `sizes`, a limit to draw or None), beside each other."""
    low, high = floor(log10(min(sizes))), ceil(log10(max(sizes)))
    high = max(high, low + 1)
    body = []
    for number, (title, series, limit) in enumerate(panels):
        inner = _panel(sizes, low, high, title, series, limit)
        body.append(f'<g transform="translate({number * _WIDE},0)">{inner}</g>')
    wide = _WIDE * len(panels)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {_HIGH}" width="{wide}" height="{_HIGH}" '
        f'font-family="sans-serif" font-size="11" fill="#222"><rect width="{wide}" height="{_HIGH}" fill="#fff"/>'
        + "".join(body)
        + "</svg>\n"
    )


def _panel(sizes: Sequence[int], low: int, high: int, title: str, series: Sequence[Series], limit: float | None) -> str:
    most = max([value for _, values in series for value in values] + ([limit] if limit else []))
    step = _step(most)
    top = step * ceil(most / step)

    def x(size: float) -> float:
        return _LEFT + (log10(size) - low) / (high - low) * (_WIDE - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return _HIGH - _BOTTOM - value / top * (_HIGH - _TOP - _BOTTOM)

    parts = [f'<text x="{_LEFT}" y="16" font-weight="bold">{escape(title)}</text>']
    for number in range(round(top / step) + 1):
        at = y(number * step)
        parts.append(f'<path d="M{_LEFT} {at:.1f}H{_WIDE - _RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{number * step:,g}</text>')
    for power in range(low, high + 1):
        at = x(10.0**power)
        parts.append(f'<path d="M{at:.1f} {_TOP}V{_HIGH - _BOTTOM}" stroke="#eee"/>')
        parts.append(f'<text x="{at:.1f}" y="{_HIGH - _BOTTOM + 16}" text-anchor="middle">{10**power:,}</text>')
    parts.append(f'<text x="{(_LEFT + _WIDE) / 2:.0f}" y="{_HIGH - 10}" text-anchor="middle">documents</text>')
    if limit is not None:
        path = f"M{_LEFT} {y(limit):.1f}H{_WIDE - _RIGHT}"
        parts.append(f'<path d="{path}" stroke="#a00" stroke-dasharray="5 3"/>')
        parts.append(f'<text x="{_WIDE - _RIGHT}" y="{y(limit) - 4:.1f}" text-anchor="end" fill="#a00">limit</text>')
    for number, (name, values) in enumerate(series):
        colour = _COLOURS[number % len(_COLOURS)]
        points = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in zip(sizes, values, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for size, value in zip(sizes, values, strict=True):
            parts.append(f'<circle cx="{x(size):.1f}" cy="{y(value):.1f}" r="3.5" fill="{colour}"/>')
        parts.append(f'<text x="{_LEFT + 8 + 115 * number}" y="29" fill="{colour}">{escape(name)}</text>')
    return "".join(parts)


def _step(most: float) -> float:
    """A round distance between lines, for about five of them."""
    size = 10.0 ** floor(log10(most / 5))
    return float(min((m * size for m in (1, 2, 2.5, 5, 10)), key=lambda step: abs(most / step - 5)))

"""Vector instructions for the network's CPU kernels, as numba intrinsics.

Loops are explicit, every sum has one order, so that results do not depend on the processor's
vector length, on threads, or on other images.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba.core import cgutils

from src_core.models.nn.cpu.emitter import (
    INDEX,
    LANES,
    ROWS,
    VECTOR,
    Emit,
    Emitter,
    defined,
    instruction,
)

__all__ = [
    "FAR",
    "NEAR",
    "add_output",
    "dense",
    "exp_row",
    "multiply",
    "normalise_row",
    "sum_row",
    "to_output",
    "to_tile",
]

#: Points of Winograd's transform beside 0 and infinity, with both signs: exact in float32, and of
#: all that were tried with the smallest error, 1.5 times that of a plain sum.
NEAR, FAR = 0.75, 1.5
_NEAR2, _FAR2 = NEAR**2, FAR**2


def _product(rows: int, vectors: int) -> Emit:
    def emit(out: Emitter, values: list[Any]) -> None:
        a, a_stride, taps, offsets, depth, b, start, c, c_stride = values
        build = out.builder
        totals = [[cgutils.alloca_once(build, VECTOR) for _ in range(vectors)] for _ in range(rows)]
        for v in range(vectors):
            first = out.load(out.at(start, v * LANES))
            for row in totals:
                build.store(first, row[v])
        weights = cgutils.alloca_once_value(build, b)
        with cgutils.for_range(build, taps) as tap:
            place = build.add(offsets, build.mul(tap.index, out.whole(8)))
            here = out.at(a, build.load(build.inttoptr(place, INDEX.as_pointer())))
            with cgutils.for_range(build, depth) as k:
                there = build.load(weights)
                parts = [out.load(out.at(there, v * LANES)) for v in range(vectors)]
                build.store(out.at(there, vectors * LANES), weights)
                at = out.at(here, k.index)
                for row in totals:
                    value = out.repeated(at)
                    at = out.at(at, a_stride)
                    for part, total in zip(parts, row, strict=True):
                        build.store(out.fma(value, part, build.load(total)), total)
        for row in totals:
            for v, total in enumerate(row):
                out.store(build.load(total), out.at(c, v * LANES))
            c = out.at(c, c_stride)

    return emit


def _multiply(*rows: int) -> Emit:
    """Choose a product by the number of rows and of vectors."""

    def emit(out: Emitter, values: list[Any]) -> None:
        build = out.builder
        for count in sorted(set(rows)):
            for vectors in (1, 2, 3):
                product = f"drdm.multiply.{count}.{vectors}"
                function = defined(build.module, product, 9, _product(count, vectors))
                same = build.and_(
                    build.icmp_signed("==", values[0], out.whole(count)),
                    build.icmp_signed("==", values[1], out.whole(vectors)),
                )
                with build.if_then(same):
                    build.call(function, values[2:])

    return emit


#: ``c[r] = start + sum over taps and k of a[r, tap, k] * b[tap, k]``, for ``ROWS`` rows or four,
#: and one to three vectors of c. They take (rows, vectors, a, stride of its rows, taps, address of
#: the taps' offsets, k, b, start, c, stride of its rows), strides and offsets in floats.
multiply = instruction("drdm.multiply", 11, _multiply(4, ROWS))


def _dense(out: Emitter, values: list[Any]) -> None:
    vectors, source, stride, inputs, weights, start, none, target, count, channels = values
    build, block = out.builder, out.builder.mul(values[0], out.whole(LANES))
    multiply_few = defined(build.module, "drdm.multiply.few", 11, _multiply(4))
    with cgutils.for_range(build, build.udiv(channels, block)) as part:
        first = build.mul(part.index, block)
        here, base = out.at(weights, build.mul(first, inputs)), out.at(start, first)
        with cgutils.for_range(build, build.udiv(count, out.whole(4))) as rows:
            row = build.mul(rows.index, out.whole(4))
            given = out.at(source, build.mul(row, stride))
            to = out.at(target, build.mul(row, channels), first)
            four, one = out.whole(4), out.whole(1)
            numbers = four, vectors, given, stride, one, none, inputs, here, base, to, channels
            build.call(multiply_few, numbers)


#: ``values @ weights + start``, (count, channels): (vectors of channels in a block, values, stride
#: of their rows, inputs, weights, start, address of a 0, output, count, channels).
dense = instruction("drdm.dense", 10, _dense)


def _six(out: Emitter, d: Sequence[Any]) -> list[Any]:
    """Winograd's transform of six values, for four outputs of three taps."""
    even, odd = out.fma(-_FAR2, d[2], d[4]), out.fma(-_FAR2, d[1], d[3])
    evens, odds = out.fma(-_NEAR2, d[2], d[4]), out.fma(-_NEAR2, d[1], d[3])
    ends = (out.fma(-_NEAR2 - _FAR2, d[2 + i], d[4 + i]) for i in (0, 1))
    first, last = (out.fma(_NEAR2 * _FAR2, d[i], end) for i, end in enumerate(ends))
    near = [out.fma(sign * NEAR, odd, even) for sign in (1, -1)]
    return [first, *near, *(out.fma(sign * FAR, odds, evens) for sign in (1, -1)), last]


def _four(out: Emitter, m: Sequence[Any]) -> list[Any]:
    """The four outputs of six products."""
    even, odd = out.add(m[1], m[2]), out.sub(m[1], m[2])
    evens, odds = out.add(m[3], m[4]), out.sub(m[3], m[4])
    return [
        out.add(out.add(m[0], even), evens),
        out.fma(FAR, odds, out.mul(out.constant(NEAR), odd)),
        out.fma(_FAR2, evens, out.mul(out.constant(_NEAR2), even)),
        out.fma(FAR**3, odds, out.fma(NEAR**3, odd, m[5])),
    ]


def _tiles(out: Emitter, values: list[Any]) -> None:
    """(image, stride of rows, of columns, tiles, stride of products, channels): one tile."""
    image, row, column, tile, stride, channels = values
    build = out.builder
    with out.blocks(channels) as shift:
        middle = []
        for j in range(6):
            at = out.at(image, shift, build.mul(column, out.whole(j)))
            values = [out.load(out.at(at, build.mul(row, out.whole(i)))) for i in range(6)]
            middle.append(_six(out, values))
        for i in range(6):
            for j, value in enumerate(_six(out, [column[i] for column in middle])):
                at = out.at(tile, shift, build.mul(stride, out.whole(6 * i + j)))
                out.store(value, at)


def _output(adds: bool) -> Emit:
    def emit(out: Emitter, values: list[Any]) -> None:
        product, stride, start, target, row, column, channels = values
        build = out.builder
        with out.blocks(channels) as shift:
            first, middle = out.load(out.at(start, shift)), []
            for j in range(6):
                at = [out.at(product, shift, build.mul(stride, out.whole(6 * i + j)))
                      for i in range(6)]  # fmt: skip
                middle.append(_four(out, [out.load(a) for a in at]))
            for i in range(4):
                for j, value in enumerate(_four(out, [part[i] for part in middle])):
                    way = build.add(build.mul(row, out.whole(i)), build.mul(column, out.whole(j)))
                    value = out.add(value, first)
                    value = out.add(value, out.load(out.at(target, shift, way))) if adds else value
                    out.store(value, out.at(target, shift, way))

    return emit


#: (image, stride of rows, of columns, tile, stride of products, channels): 6 x 6 pixels to 36.
to_tile = instruction("drdm.to_tile", 6, _tiles)
#: (products, their stride, start, output, stride of rows, of columns, channels): 36 products to
#: 4 x 4 pixels; ``add_output`` adds them to what is there.
to_output = instruction("drdm.to_output", 7, _output(False))
add_output = instruction("drdm.add_output", 7, _output(True))


def _normalised(out: Emitter, values: list[Any]) -> None:
    """(source, target, pixels, channels, factors, offsets): silu(x * factor + offset)."""
    source, target, pixels, channels, factors, offsets = values
    build = out.builder
    with out.blocks(channels) as shift:
        factor, offset = out.load(out.at(factors, shift)), out.load(out.at(offsets, shift))
        with cgutils.for_range(build, pixels) as pixel:
            way = build.add(shift, build.mul(pixel.index, channels))
            x = out.fma(out.load(out.at(source, way)), factor, offset)
            grown = out.add(out.constant(1.0), _exp(out, out.sub(out.constant(0.0), x)))
            out.store(build.fdiv(x, grown), out.at(target, way))


def _exp(out: Emitter, x: Any) -> Any:
    """exp, to 1e-7 of its value: Cephes' polynomial of degree 6, cut off at -87 and 88."""
    build, whole = out.builder, ir.VectorType(ir.IntType(32), LANES)
    for sign, limit in ((">", 88.0), ("<", -87.0)):
        beyond = build.fcmp_ordered(sign, x, out.constant(limit))
        x = build.select(beyond, out.constant(limit), x)
    magic = out.constant(12582912.0)
    n = out.sub(out.fma(1.44269504088896341, x, magic), magic)
    r = out.fma(-0.693359375, n, x)
    r = out.fma(2.12194440e-4, n, r)
    y = out.constant(1.9875691500e-4)
    for c in (1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1):
        y = out.fma(y, r, out.constant(c))
    y = out.add(out.fma(y, build.fmul(r, r), r), out.constant(1.0))
    bits = build.fptosi(n, whole)
    bits = build.shl(build.add(bits, ir.Constant(whole, [127] * LANES)),
                     ir.Constant(whole, [23] * LANES))  # fmt: skip
    return build.fmul(y, build.bitcast(bits, VECTOR))


def _sums(out: Emitter, values: list[Any]) -> None:
    """(source, pixels, channels, sums, squares): of each channel."""
    source, pixels, channels, sums, squares = values
    build = out.builder
    count = build.udiv(channels, out.whole(LANES))
    one, two = (cgutils.alloca_once(build, VECTOR) for _ in range(2))
    with cgutils.for_range(build, count) as block:
        shift = build.mul(block.index, out.whole(LANES))
        for total in (one, two):
            build.store(out.constant(0.0), total)
        with cgutils.for_range(build, pixels) as pixel:
            x = out.load(out.at(source, shift, build.mul(pixel.index, channels)))
            build.store(out.add(build.load(one), x), one)
            build.store(out.fma(x, x, build.load(two)), two)
        out.store(build.load(one), out.at(sums, shift))
        out.store(build.load(two), out.at(squares, shift))


def _exponentials(out: Emitter, values: list[Any]) -> None:
    """(values, address of the largest, count): exp(value - largest), in place."""
    row, largest, count = values
    most = out.repeated(largest)
    with out.blocks(count) as shift:
        at = out.at(row, shift)
        out.store(_exp(out, out.sub(out.load(at), most)), at)


exp_row = instruction("drdm.exp_row", 3, _exponentials)
normalise_row = instruction("drdm.normalise_row", 6, _normalised)
sum_row = instruction("drdm.sum_row", 5, _sums)

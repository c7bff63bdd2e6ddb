"""Bytes of a text many at a time: 8 in a register, 64 in a mask of one bit each. For numba kernels.

The code is vector code for the compiler to cut into what a processor has: two comparisons and a move of the sign bits
with AVX2. No index is checked; who calls sees to it that the bytes are there.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

BLOCK = 64  # bytes of text looked at together


@intrinsic
def load64(typingctx, data, at):  # type: ignore[no-untyped-def]
    """8 bytes of a uint8 array from index `at`, not checked, as a little-endian uint64."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        array = context.make_array(signature.args[0])(context, builder, args[0])
        place = builder.gep(array.data, [args[1]])
        return builder.load(builder.bitcast(place, ir.IntType(64).as_pointer()), align=1)

    return types.uint64(data, types.int64), codegen


@intrinsic
def store64(typingctx, data, at, value):  # type: ignore[no-untyped-def]
    """Writes a uint64 as 8 little-endian bytes at index `at` of a uint8 array, not checked."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        array = context.make_array(signature.args[0])(context, builder, args[0])
        place = builder.gep(array.data, [args[1]])
        builder.store(args[2], builder.bitcast(place, ir.IntType(64).as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(data, types.int64, types.uint64), codegen


@intrinsic
def put(typingctx, data, at, value):  # type: ignore[no-untyped-def]
    """data[at] = value for at >= 0. The usual assignment first looks whether the index counts from the end, which
    takes a tenth to a sixth of the time of `scan`."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        array = context.make_array(signature.args[0])(context, builder, args[0])
        builder.store(args[2], builder.gep(array.data, [args[1]]))
        return context.get_dummy_value()

    return types.void(data, types.int64, data.dtype), codegen


@intrinsic
def zeros_below(typingctx, value):  # type: ignore[no-untyped-def]
    """Zero bits below the lowest one of a uint64; 64 where it is 0."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.cttz(args[0], cgutils.false_bit)

    return types.int64(types.uint64), codegen


def _among(builder, data, first, last):  # type: ignore[no-untyped-def]
    """Which of the bytes of a vector lie in first..last."""
    shifted = builder.sub(data, ir.Constant(data.type, [first] * BLOCK))
    return builder.icmp_unsigned("<=", shifted, ir.Constant(data.type, [last - first] * BLOCK))


def _block_of(context, builder, signature, args):  # type: ignore[no-untyped-def]
    array = context.make_array(signature.args[0])(context, builder, args[0])
    kind = ir.VectorType(ir.IntType(8), BLOCK)
    return builder.load(builder.bitcast(builder.gep(array.data, [args[1]]), kind.as_pointer()), align=1)


@intrinsic
def alphanumeric(typingctx, data, at):  # type: ignore[no-untyped-def]
    """Of BLOCK bytes of a uint8 array from index `at`: one bit each, set for the letters and digits of ASCII."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        block = _block_of(context, builder, signature, args)
        small = builder.or_(block, ir.Constant(block.type, [0x20] * BLOCK))
        found = builder.or_(_among(builder, small, 0x61, 0x7A), _among(builder, block, 0x30, 0x39))
        return builder.bitcast(found, ir.IntType(BLOCK))

    return types.uint64(data, types.int64), codegen


@intrinsic
def not_plain(typingctx, data, at):  # type: ignore[no-untyped-def]
    """Of BLOCK bytes of a uint8 array from index `at`: one bit each, set for what is not ASCII, and for the ASCII that
    neither belongs to a word nor ends it: the apostrophe, and the controls that are no white space."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        block = _block_of(context, builder, signature, args)
        found = _among(builder, block, 0x7F, 0xFF)
        for first, last in ((0x00, 0x08), (0x0E, 0x1F), (0x27, 0x27)):
            found = builder.or_(found, _among(builder, block, first, last))
        return builder.bitcast(found, ir.IntType(BLOCK))

    return types.uint64(data, types.int64), codegen

"""What the network's vector instructions are written with: LLVM functions over addresses.

Each is a function of its own in the compiled code, called where it is needed: repeated in place
it would be compiled once for every call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = [
    "INDEX",
    "LANES",
    "ROWS",
    "VECTOR",
    "Emit",
    "Emitter",
    "address",
    "defined",
    "instruction",
]

_FLOAT, INDEX = ir.FloatType(), ir.IntType(64)
_FEATURES = llvmlite.binding.get_host_cpu_features()
_WIDE, _AVX = bool(_FEATURES.get("avx512f")), bool(_FEATURES.get("avx"))
#: Floats of one vector, and rows of a product that fit into the registers with three vectors each.
LANES, ROWS = (16 if _WIDE else 8 if _AVX else 4), (4 if _AVX and not _WIDE else 8)
VECTOR = ir.VectorType(_FLOAT, LANES)

Emit = Callable[["Emitter", list[Any]], None]


class Emitter:
    """Writes vector instructions at one place of a function."""

    def __init__(self, builder: Any) -> None:
        self.builder = builder

    def at(self, address: Any, *floats: Any) -> Any:
        """The address some floats further."""
        for count in floats:
            count = self.whole(count) if isinstance(count, int) else count
            address = self.builder.add(address, self.builder.mul(count, self.whole(4)))
        return address

    def whole(self, number: int) -> Any:
        """A whole number."""
        return ir.Constant(INDEX, number)

    @contextmanager
    def blocks(self, channels: Any) -> Iterator[Any]:
        """A loop over vectors of channels; the first channel of each."""
        count = self.builder.udiv(channels, self.whole(LANES))
        with cgutils.for_range(self.builder, count) as block:
            yield self.builder.mul(block.index, self.whole(LANES))

    def load(self, address: Any) -> Any:
        """The vector at an address."""
        pointer = self.builder.inttoptr(address, VECTOR.as_pointer())
        return self.builder.load(pointer, align=4)

    def store(self, value: Any, address: Any) -> None:
        """Write a vector to an address."""
        pointer = self.builder.inttoptr(address, VECTOR.as_pointer())
        self.builder.store(value, pointer, align=4)

    def repeated(self, address: Any) -> Any:
        """One float in every lane."""
        pointer = self.builder.inttoptr(address, _FLOAT.as_pointer())
        one = self.builder.load(pointer, align=4)
        vector = self.builder.insert_element(
            ir.Constant(VECTOR, ir.Undefined), one, ir.Constant(ir.IntType(32), 0)
        )
        mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return self.builder.shuffle_vector(vector, ir.Constant(VECTOR, ir.Undefined), mask)

    def constant(self, number: float) -> Any:
        """A number in every lane."""
        return ir.Constant(VECTOR, [number] * LANES)

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        """A * b + c."""
        a = self.constant(a) if isinstance(a, float) else a
        shape = ir.FunctionType(VECTOR, [VECTOR] * 3)
        name = f"llvm.fma.v{LANES}f32"
        fused = cgutils.get_or_insert_function(self.builder.module, shape, name)
        return self.builder.call(fused, (a, b, c))

    def mul(self, a: Any, b: Any) -> Any:
        """A * b."""
        return self.builder.fmul(a, b)

    def add(self, a: Any, b: Any) -> Any:
        """A + b."""
        return self.builder.fadd(a, b)

    def sub(self, a: Any, b: Any) -> Any:
        """A - b."""
        return self.builder.fsub(a, b)


def instruction(name: str, count: int, emit: Emit) -> Callable[[tuple[int, ...]], None]:
    """A numba intrinsic of ``count`` whole numbers (addresses, strides, counts).

    Args:
        name: of the LLVM function that it calls.
        count: numbers.
        emit: writes the function's body, given its numbers.
    """

    @intrinsic
    def call(typing: Any, numbers: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            values = [builder.extract_value(arguments[0], i) for i in range(count)]
            builder.call(defined(builder.module, name, count, emit), values)
            return context.get_dummy_value()

        return types.void(types.UniTuple(types.int64, count)), generate

    found: Callable[[tuple[int, ...]], None] = cast(Any, call)
    return found


def defined(module: Any, name: str, count: int, emit: Emit) -> Any:
    """The LLVM function of ``count`` whole numbers, written into a module that lacks it."""
    found = module.globals.get(name)
    if found is None:
        shape = ir.FunctionType(ir.VoidType(), [INDEX] * count)
        found = ir.Function(module, shape, name)
        found.linkage = "internal"
        found.attributes.add("noinline")
        builder = ir.IRBuilder(found.append_basic_block("entry"))
        emit(Emitter(builder), list(found.args))
        builder.ret_void()
    return found


@intrinsic
def _address(typing: Any, array: Any, *indices: Any) -> Any:
    """Address of an array's item, or of its first, without a view of the array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        struct = context.make_array(array)(context, builder, arguments[0])
        place = builder.ptrtoint(struct.data, INDEX)
        for axis, index in enumerate(cgutils.unpack_tuple(builder, arguments[1])):
            stride = builder.extract_value(struct.strides, axis)
            place = builder.add(place, builder.mul(index, stride))
        return place

    whole = types.UniTuple(types.int64, len(indices))
    return types.int64(array, whole), generate


#: ``address(array, *indices)``: of an item, an index for each axis.
address: Callable[..., int] = cast(Any, _address)

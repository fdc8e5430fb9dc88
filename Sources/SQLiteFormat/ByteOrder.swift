/// The order of bytes in a stored integer.
public enum ByteOrder: Sendable { case little, big }

extension RawSpan {
    /// The big-endian 32-bit integer at `offset`; the caller has checked that it lies within.
    package func bigEndianUInt32(at offset: Int) -> UInt32 {
        UInt32(bigEndian: unsafeLoadUnalignedChecked(at: offset))
    }

    /// The big-endian 16-bit integer at `offset`; the caller has checked that it lies within.
    package func bigEndianUInt16(at offset: Int) -> UInt16 {
        UInt16(bigEndian: unsafeLoadUnalignedChecked(at: offset))
    }

    /// The 32-bit integer at `offset` in this machine's byte order.
    package func nativeUInt32(at offset: Int) -> UInt32 {
        unsafeLoadUnalignedChecked(at: offset)
    }

    private func unsafeLoadUnalignedChecked<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int) -> T {
        // SAFETY: the load checks its bounds, and any bytes make a valid integer.
        unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: T.self)
    }
}

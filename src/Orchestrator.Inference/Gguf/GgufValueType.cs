namespace Orchestrator.Inference.Gguf;

/// <summary>The type of a metadata value, with the numbers that the GGUF format gives them.</summary>
public enum GgufValueType : uint
{
    /// <summary>8-bit unsigned integer.</summary>
    UInt8 = 0,

    /// <summary>8-bit signed integer.</summary>
    Int8 = 1,

    /// <summary>16-bit unsigned integer.</summary>
    UInt16 = 2,

    /// <summary>16-bit signed integer.</summary>
    Int16 = 3,

    /// <summary>32-bit unsigned integer.</summary>
    UInt32 = 4,

    /// <summary>32-bit signed integer.</summary>
    Int32 = 5,

    /// <summary>32-bit IEEE 754 number.</summary>
    Float32 = 6,

    /// <summary>One byte, zero for false.</summary>
    Bool = 7,

    /// <summary>UTF-8 text with a 64-bit length in front.</summary>
    String = 8,

    /// <summary>Elements of one type that is not itself an array.</summary>
    Array = 9,

    /// <summary>64-bit unsigned integer.</summary>
    UInt64 = 10,

    /// <summary>64-bit signed integer.</summary>
    Int64 = 11,

    /// <summary>64-bit IEEE 754 number.</summary>
    Float64 = 12,
}

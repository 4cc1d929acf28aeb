using System.Collections;
using System.Globalization;

namespace Orchestrator.Inference.Gguf;

/// <summary>A metadata value: a scalar, or an array of scalars of one type.</summary>
public sealed class GgufValue
{
    private GgufValue(GgufValueType type, object content, GgufValueType? elementType = null)
    {
        Type = type;
        Content = content;
        ElementType = elementType;
    }

    /// <summary>The value's type.</summary>
    public GgufValueType Type { get; }

    /// <summary>The elements' type where the value is an array, else null.</summary>
    public GgufValueType? ElementType { get; }

    /// <summary>
    /// The boxed scalar, or for an array the typed .NET array (<see cref="uint"/>[] and so on), or
    /// <see cref="GgufStrings"/> for an array of strings.
    /// </summary>
    public object Content { get; }

    /// <summary>Number of elements of an array; 1 for a scalar.</summary>
    public int Count => Content switch
    {
        Array array => array.Length,
        GgufStrings strings => strings.Count,
        _ => 1,
    };

    /// <summary>The type as people write it, such as <c>u32</c> or <c>arr[str]</c>.</summary>
    public string TypeName => ElementType is { } element ? $"arr[{Name(element)}]" : Name(Type);

    /// <summary>The scalar as an integer, where it is one of any width that fits in 64 bits, signed.</summary>
    public long? AsInteger => Content switch
    {
        byte v => v,
        sbyte v => v,
        ushort v => v,
        short v => v,
        uint v => v,
        int v => v,
        long v => v,
        ulong v when v <= long.MaxValue => (long)v,
        _ => null,
    };

    /// <summary>The scalar as a number, where it is one.</summary>
    public double? AsNumber => Content switch
    {
        float v => v,
        double v => v,
        ulong v => v,
        _ => AsInteger,
    };

    /// <summary>The short name of a type, such as <c>u32</c>.</summary>
    /// <param name="type">A type.</param>
    public static string Name(GgufValueType type) => type switch
    {
        GgufValueType.UInt8 => "u8",
        GgufValueType.Int8 => "i8",
        GgufValueType.UInt16 => "u16",
        GgufValueType.Int16 => "i16",
        GgufValueType.UInt32 => "u32",
        GgufValueType.Int32 => "i32",
        GgufValueType.Float32 => "f32",
        GgufValueType.Bool => "bool",
        GgufValueType.String => "str",
        GgufValueType.Array => "arr",
        GgufValueType.UInt64 => "u64",
        GgufValueType.Int64 => "i64",
        GgufValueType.Float64 => "f64",
        _ => ((uint)type).ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>Wraps a scalar or an array.</summary>
    /// <param name="content">A number, bool, string, an array of numbers or bools, or strings.</param>
    /// <exception cref="ArgumentException">GGUF has no type for it.</exception>
    public static GgufValue Of(object content) => content switch
    {
        Array array => new(GgufValueType.Array, array, ScalarType(array.GetType().GetElementType()!)),
        GgufStrings strings => new(GgufValueType.Array, strings, GgufValueType.String),
        _ => new(ScalarType(content.GetType()), content),
    };

#pragma warning disable CS1591 // One conversion for each type that a metadata value can have.
    public static implicit operator GgufValue(string value) => Of(value);
    public static implicit operator GgufValue(uint value) => Of(value);
    public static implicit operator GgufValue(int value) => Of(value);
    public static implicit operator GgufValue(ushort value) => Of(value);
    public static implicit operator GgufValue(float value) => Of(value);
    public static implicit operator GgufValue(bool value) => Of(value);
    public static implicit operator GgufValue(uint[] value) => Of(value);
    public static implicit operator GgufValue(int[] value) => Of(value);
    public static implicit operator GgufValue(float[] value) => Of(value);
    public static implicit operator GgufValue(bool[] value) => Of(value);
    public static implicit operator GgufValue(string[] value) => Of(new GgufStrings(value));
    public static implicit operator GgufValue(GgufStrings value) => Of(value);
#pragma warning restore CS1591

    /// <inheritdoc/>
    public override string ToString() => Content switch
    {
        string text => text,
        ICollection or GgufStrings => $"{TypeName} of {Count}",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => Content.ToString()!,
    };

    private static GgufValueType ScalarType(Type type) => System.Type.GetTypeCode(type) switch
    {
        TypeCode.Byte => GgufValueType.UInt8,
        TypeCode.SByte => GgufValueType.Int8,
        TypeCode.UInt16 => GgufValueType.UInt16,
        TypeCode.Int16 => GgufValueType.Int16,
        TypeCode.UInt32 => GgufValueType.UInt32,
        TypeCode.Int32 => GgufValueType.Int32,
        TypeCode.Single => GgufValueType.Float32,
        TypeCode.Boolean => GgufValueType.Bool,
        TypeCode.String => GgufValueType.String,
        TypeCode.UInt64 => GgufValueType.UInt64,
        TypeCode.Int64 => GgufValueType.Int64,
        TypeCode.Double => GgufValueType.Float64,
        _ => throw new ArgumentException($"GGUF has no type for {type}."),
    };
}

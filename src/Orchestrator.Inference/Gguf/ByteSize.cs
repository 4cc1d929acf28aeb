using System.Globalization;

namespace Orchestrator.Inference.Gguf;

/// <summary>Sizes as people read them.</summary>
public static class ByteSize
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB"];

    /// <summary>A size with three significant digits or so, such as <c>93.8 MiB</c>.</summary>
    /// <param name="bytes">Bytes, not negative.</param>
    public static string Format(long bytes)
    {
        var (value, unit) = ((double)bytes, 0);
        while (value >= 1023.5 && unit < Units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{(unit == 0 || value >= 100 ? Math.Round(value) : Math.Round(value, value < 10 ? 2 : 1))} {Units[unit]}");
    }
}

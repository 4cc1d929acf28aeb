using System.Globalization;

namespace Orchestrator.Console.Terminal;

/// <summary>Says how many there are.</summary>
internal static class Counting
{
    /// <summary>A number with its noun, in the singular for one.</summary>
    /// <param name="count">How many.</param>
    /// <param name="noun">The noun in the singular; its plural ends in s.</param>
    public static string Of(int count, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:N0} {noun}{(count == 1 ? "" : "s")}");
}

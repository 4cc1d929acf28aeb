using System.ComponentModel;
using System.Globalization;
using Microsoft.SemanticKernel;

namespace Orchestrator.Agents.Plugins.BuiltIn;

/// <summary>The time, and arithmetic with it.</summary>
internal sealed class TimePlugin(TimeProvider timeProvider)
{
    [KernelFunction("now")]
    [Description("Tells the date and time now.")]
    public string Now([Description("A time zone, as Europe/Berlin or UTC.")] string zone = "UTC")
    {
        var found = TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var info)
            ? info
            : throw new ArgumentException($"There is no time zone '{zone}'.");
        return Write(TimeZoneInfo.ConvertTime(timeProvider.GetUtcNow(), found));
    }

    [KernelFunction("difference")]
    [Description("Tells how much time lies between two moments.")]
    public string Difference(
        [Description("The earlier moment, as 2026-01-31T12:00:00Z.")] string from,
        [Description("The later moment, as 2026-01-31T12:00:00Z.")] string to)
    {
        var span = Read(to) - Read(from);
        return string.Create(CultureInfo.InvariantCulture, $"{span:c} ({span.TotalSeconds} seconds)");
    }

    [KernelFunction("add")]
    [Description("Adds seconds to a moment.")]
    public string Add(
        [Description("The moment, as 2026-01-31T12:00:00Z.")] string moment,
        [Description("How many seconds; negative ones go back.")] double seconds) =>
        Write(Read(moment) + TimeSpan.FromSeconds(seconds));

    private static DateTimeOffset Read(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment)
            ? moment
            : throw new ArgumentException($"'{text}' is not a moment; write it as 2026-01-31T12:00:00Z.");

    private static string Write(DateTimeOffset moment) =>
        moment.ToString("yyyy-MM-dd'T'HH:mm:sszzz (dddd)", CultureInfo.InvariantCulture);
}

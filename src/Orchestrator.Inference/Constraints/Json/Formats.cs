using System.Collections.Concurrent;
using Orchestrator.Inference.Constraints.Automata;
using Orchestrator.Inference.Constraints.Regexes;

namespace Orchestrator.Inference.Constraints.Json;

/// <summary>
/// The formats of JSON schema as regular expressions: RFC 3339 (dates and times, with the days of each month),
/// RFC 5321 (mailbox), RFC 1123 (host names), RFC 3986 (URIs), RFC 4291 (IPv6), RFC 9562 (UUID), RFC 6901 (pointers).
/// </summary>
internal static class Formats
{
    private const string Date = @"((\d\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29|\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-8])))";
    private const string Time = @"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?([Zz]|[+\-]([01]\d|2[0-3]):[0-5]\d)";
    private const string Label = @"[A-Za-z0-9]([A-Za-z0-9\-]{0,61}[A-Za-z0-9])?";
    private const string Octet = @"(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)";
    private const string IPv4 = Octet + @"(\." + Octet + "){3}";
    private const string Hex16 = "[0-9A-Fa-f]{1,4}";
    private const string IPv6 = "(("
        + Hex16 + ":){7}" + Hex16
        + "|(" + Hex16 + ":){6}" + IPv4
        + "|::((" + Hex16 + ":){0,6}" + Hex16 + "|(" + Hex16 + ":){0,5}" + IPv4 + ")?"
        + "|" + Hex16 + "::((" + Hex16 + ":){0,5}" + Hex16 + "|(" + Hex16 + ":){0,4}" + IPv4 + ")?"
        + "|" + Hex16 + "(:" + Hex16 + "){1}::((" + Hex16 + ":){0,4}" + Hex16 + "|(" + Hex16 + ":){0,3}" + IPv4 + ")?"
        + "|" + Hex16 + "(:" + Hex16 + "){2}::((" + Hex16 + ":){0,3}" + Hex16 + "|(" + Hex16 + ":){0,2}" + IPv4 + ")?"
        + "|" + Hex16 + "(:" + Hex16 + "){3}::((" + Hex16 + ":){0,2}" + Hex16 + "|(" + Hex16 + ":){0,1}" + IPv4 + ")?"
        + "|" + Hex16 + "(:" + Hex16 + "){4}::((" + Hex16 + ":){0,1}" + Hex16 + "|" + IPv4 + ")?"
        + "|" + Hex16 + "(:" + Hex16 + "){5}::(" + Hex16 + ")?"
        + "|" + Hex16 + "(:" + Hex16 + "){6}::)";

    private const string Pct = "%[0-9A-Fa-f]{2}";
    private const string PChar = @"([A-Za-z0-9\-._~!$&'()*+,;=:@]|" + Pct + ")";
    private const string Authority = @"(([A-Za-z0-9\-._~!$&'()*+,;=:]|" + Pct + @")*@)?(\[(" + IPv6 + @"|[vV][0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+)\]|([A-Za-z0-9\-._~!$&'()*+,;=]|" + Pct + @")*)(:\d*)?";
    private const string Query = @"(\?([A-Za-z0-9\-._~!$&'()*+,;=:@/?]|" + Pct + @")*)?(#([A-Za-z0-9\-._~!$&'()*+,;=:@/?]|" + Pct + ")*)?";
    private const string Hier = "(//" + Authority + "(/" + PChar + "*)*|/(" + PChar + "+(/" + PChar + "*)*)?|" + PChar + "+(/" + PChar + "*)*)";
    private const string Uri = @"[A-Za-z][A-Za-z0-9+\-.]*:" + Hier + Query;
    private const string SegmentNc = @"([A-Za-z0-9\-._~!$&'()*+,;=@]|" + Pct + ")";
    private const string Relative = "(//" + Authority + "(/" + PChar + "*)*|/(" + PChar + "+(/" + PChar + "*)*)?|" + SegmentNc + "+(/" + PChar + "*)*)?" + Query;

    private static readonly Dictionary<string, string> Patterns = new(StringComparer.Ordinal)
    {
        ["date"] = Date,
        ["time"] = Time,
        ["date-time"] = Date + "[Tt]" + Time,
        ["duration"] = @"P(\d+W|(\d+Y(\d+M(\d+D)?)?|\d+M(\d+D)?|\d+D)(T(\d+H(\d+M(\d+S)?)?|\d+M(\d+S)?|\d+S))?|T(\d+H(\d+M(\d+S)?)?|\d+M(\d+S)?|\d+S))",
        ["email"] = @"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-]+)*@(" + Label + @"\.)+" + Label,
        ["hostname"] = "(?=.{1,253}$)" + Label + @"(\." + Label + ")*",
        ["ipv4"] = IPv4,
        ["ipv6"] = IPv6,
        ["uuid"] = "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}",
        ["uri"] = Uri,
        ["uri-reference"] = "(" + Uri + "|" + Relative + ")",
        ["json-pointer"] = @"(/([^~/]|~[01])*)*",
        ["relative-json-pointer"] = @"(0|[1-9]\d*)(#|(/([^~/]|~[01])*)*)",
    };

    /// <summary>Formats of the specification that a finite automaton can't hold, or that need tables this library lacks.</summary>
    private static readonly HashSet<string> Refused = new(StringComparer.Ordinal)
    {
        "idn-email", "idn-hostname", "iri", "iri-reference", "uri-template", "regex",
    };

    private static readonly ConcurrentDictionary<string, CharDfa> Compiled = new(StringComparer.Ordinal);

    public static bool IsRefused(string format) => Refused.Contains(format);

    /// <summary>The texts of a format; null for a name that the specification does not define, which is an annotation only.</summary>
    public static CharDfa? Find(string format)
        => Patterns.TryGetValue(format, out var pattern)
            ? Compiled.GetOrAdd(format, static (_, regex) => RegexCompiler.CompileWhole(regex), pattern)
            : null;
}

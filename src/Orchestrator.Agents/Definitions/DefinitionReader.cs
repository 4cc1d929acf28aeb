using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Orchestrator.Agents.Definitions;

/// <summary>Reads a YAML file under a shape, collecting all that is wrong with it.</summary>
internal sealed partial class DefinitionReader
{
    // Aliases can make a small file unfold into a huge one.
    private const int MaxNodes = 100_000;

    private readonly string _file;
    private readonly List<DefinitionError> _errors = [];
    private int _nodes;

    private DefinitionReader(string file) => _file = file;

    /// <summary>Reads a file's text.</summary>
    /// <param name="file">The file's name, for errors.</param>
    /// <param name="text">Its content.</param>
    /// <param name="shape">What it may hold.</param>
    /// <param name="check">What the shape cannot say; called where the shape holds.</param>
    /// <exception cref="DefinitionException">The text is not YAML, or not of the shape.</exception>
    public static DefinitionMap Read(
        string file, string text, ObjectShape shape, Func<DefinitionMap, IEnumerable<DefinitionError>>? check = null)
    {
        var reader = new DefinitionReader(file);
        var map = reader.ReadDocument(text, shape);
        if (reader._errors.Count == 0 && check is not null)
        {
            reader._errors.AddRange(check(map!));
        }

        return reader._errors.Count == 0 ? map! : throw new DefinitionException(reader._errors);
    }

    /// <summary>Reads a time span as it is written in a file.</summary>
    public static TimeSpan? ParseDuration(string text)
    {
        var match = DurationExpression().Match(text);
        if (!match.Success)
        {
            return null;
        }

        var number = double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        var seconds = match.Groups[2].Value switch
        {
            "ms" => number / 1000,
            "s" => number,
            "m" => number * 60,
            _ => number * 3600,
        };
        return seconds > 0 && seconds < TimeSpan.MaxValue.TotalSeconds / 2 ? TimeSpan.FromSeconds(seconds) : null;
    }

    private DefinitionMap? ReadDocument(string text, ObjectShape shape)
    {
        try
        {
            var stream = Parse(text);
            if (stream.Documents.Count == 1 && stream.Documents[0].RootNode is YamlMappingNode root)
            {
                return (DefinitionMap?)ReadObject(root, shape, "");
            }

            _errors.Add(new DefinitionError(_file, 1, 1, "", $"the file holds no {shape.Noun}: keys with values are expected"));
        }
        catch (YamlException e)
        {
            var message = e.InnerException?.Message ?? e.Message;
            _errors.Add(new DefinitionError(_file, (int)e.Start.Line, (int)e.Start.Column, "", $"not valid YAML: {message}"));
        }

        return null;
    }

    private static YamlStream Parse(string text)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(text));
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            // The parser's own slips on malformed text.
            throw new YamlException(new Mark(1, 1, 1), new Mark(1, 1, 1), e.Message, e);
        }

        return stream;
    }

    private object? Read(YamlNode node, Shape shape, string path)
    {
        if (++_nodes > MaxNodes)
        {
            throw new YamlException(node.Start, node.End, $"more than {MaxNodes} values");
        }

        return shape switch
        {
            ObjectShape o => ReadObject(node, o, path),
            MapShape m => ReadMap(node, m, path),
            ListShape l => ReadList(node, l, path),
            AnythingShape => ToJson(node),
            _ => ReadScalar(node, shape, path),
        };
    }

    private object? ReadObject(YamlNode node, ObjectShape shape, string path)
    {
        if (node is not YamlMappingNode mapping)
        {
            return Fail(node, path, $"{Article(shape.Noun)} is expected: keys with values");
        }

        var map = new DefinitionMap(_file, path, PositionOf(node));
        foreach (var (keyNode, value) in mapping.Children)
        {
            var name = (keyNode as YamlScalarNode)?.Value ?? "";
            if (shape.Keys.FirstOrDefault(k => k.Name == name) is not { } key)
            {
                string[] known = [.. shape.Keys.Select(k => k.Name)];
                Fail(keyNode, Child(path, name), $"unknown key '{name}' in {Article(shape.Noun)}{Spelling.Hint(name, known)}");
            }
            else if (IsNull(value))
            {
                // A key without a value is as if it were not there; it may still be a required one.
            }
            else
            {
                map.Set(name, new DefinitionValue(Read(value, key.Shape, Child(path, name)), PositionOf(keyNode)));
            }
        }

        foreach (var key in shape.Keys.Where(k => k.Required && !map.Keys.Contains(k.Name)))
        {
            Fail(node, Child(path, key.Name), $"{Article(shape.Noun)} needs '{key.Name}': {LowerFirst(key.Description)}");
        }

        return map;
    }

    private object? ReadMap(YamlNode node, MapShape shape, string path)
    {
        if (node is not YamlMappingNode mapping)
        {
            return Fail(node, path, "names with values are expected");
        }

        var map = new DefinitionMap(_file, path, PositionOf(node));
        foreach (var (keyNode, value) in mapping.Children)
        {
            var name = (keyNode as YamlScalarNode)?.Value ?? "";
            map.Set(name, new DefinitionValue(Read(value, shape.Value, Child(path, name)), PositionOf(keyNode)));
        }

        return map;
    }

    private object? ReadList(YamlNode node, ListShape shape, string path)
    {
        if (node is not YamlSequenceNode sequence)
        {
            return Fail(node, path, "a list is expected: items that begin with '- ', or [a, b]");
        }

        if (sequence.Children.Count < shape.Minimum)
        {
            return Fail(node, path, $"at least {shape.Minimum} item{(shape.Minimum == 1 ? " is" : "s are")} needed");
        }

        return sequence.Children
            .Select((item, i) => new DefinitionValue(Read(item, shape.Item, $"{path}[{i}]"), PositionOf(item)))
            .ToList();
    }

    private object? ReadScalar(YamlNode node, Shape shape, string path)
    {
        if (node is not YamlScalarNode { Value: { } text } scalar)
        {
            return Fail(node, path, $"{Expected(shape)} is expected");
        }

        switch (shape)
        {
            case TextShape { OneOf: { } values } when !values.Contains(text):
                return Fail(node, path, $"'{text}' is not among its values{Spelling.Hint(text, values)}");
            case TextShape { Pattern: { } pattern } t when !Regex.IsMatch(text, pattern, RegexOptions.None, TimeSpan.FromSeconds(1)):
                return Fail(node, path, $"'{text}' is not allowed; use {t.PatternInWords}");
            case TextShape:
                return text.Trim().Length > 0 ? text : Fail(node, path, "a text is expected, and it is empty");
            case IntegerShape i:
                return int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var whole)
                    && whole >= i.Minimum && whole <= i.Maximum
                    ? whole
                    : Fail(node, path, $"'{text}' is not {Expected(shape)}");
            case NumberShape n:
                return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                    && number >= n.Minimum && number <= n.Maximum
                    ? number
                    : Fail(node, path, $"'{text}' is not {Expected(shape)}");
            case FlagShape:
                return scalar.Style == ScalarStyle.Plain && text is "true" or "false"
                    ? text == "true"
                    : Fail(node, path, $"'{text}' is not {Expected(shape)}");
            case DurationShape:
                return ParseDuration(text) is { } duration ? duration : Fail(node, path, $"'{text}' is not {Expected(shape)}");
            default:
                throw new InvalidOperationException($"No reader for {shape.GetType().Name}.");
        }
    }

    private JsonNode? ToJson(YamlNode node)
    {
        if (++_nodes > MaxNodes)
        {
            throw new YamlException(node.Start, node.End, $"more than {MaxNodes} values");
        }

        return node switch
        {
            YamlMappingNode mapping => new JsonObject(mapping.Children.Select(
                c => KeyValuePair.Create((c.Key as YamlScalarNode)?.Value ?? "", ToJson(c.Value)))),
            YamlSequenceNode sequence => new JsonArray([.. sequence.Children.Select(ToJson)]),
            YamlScalarNode { Style: not ScalarStyle.Plain } quoted => JsonValue.Create(quoted.Value),
            _ when IsNull(node) => null,
            YamlScalarNode { Value: "true" or "false" } flag => JsonValue.Create(flag.Value == "true"),
            YamlScalarNode { Value: { } text } when long.TryParse(
                text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => JsonValue.Create(whole),
            YamlScalarNode { Value: { } text } when double.TryParse(
                text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) => JsonValue.Create(number),
            YamlScalarNode scalar => JsonValue.Create(scalar.Value),
            _ => null,
        };
    }

    private object? Fail(YamlNode node, string path, string message)
    {
        var (line, column) = PositionOf(node);
        _errors.Add(new DefinitionError(_file, line, column, path, message));
        return null;
    }

    private static Position PositionOf(YamlNode node) => new((int)node.Start.Line, (int)node.Start.Column);

    private static bool IsNull(YamlNode node) =>
        node is YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "~" or "null" };

    private static string Child(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";

    private static string Article(string noun) => (noun[0] is 'a' or 'e' or 'i' or 'o' or 'u' ? "an " : "a ") + noun;

    private static string LowerFirst(string text) => char.ToLowerInvariant(text[0]) + text[1..].TrimEnd('.');

    private static string Expected(Shape shape) => shape switch
    {
        IntegerShape { Maximum: int.MaxValue } i => $"a whole number from {i.Minimum}",
        IntegerShape i => $"a whole number from {i.Minimum} to {i.Maximum}",
        NumberShape n => string.Create(CultureInfo.InvariantCulture, $"a number from {n.Minimum} to {n.Maximum}"),
        FlagShape => "true or false",
        DurationShape => "a time such as 500ms, 30s, 5m or 1h",
        _ => "a text",
    };

    [GeneratedRegex(@"^([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)$")]
    private static partial Regex DurationExpression();
}

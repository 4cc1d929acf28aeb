using System.Text.Json;

namespace Orchestrator.Inference.Constraints.Json;

/// <summary>A schema at its place in a document.</summary>
internal sealed record SchemaRef(SchemaDocument Document, JsonElement Element, string Pointer)
{
    public bool Equals(SchemaRef? other) => other is not null && ReferenceEquals(Document, other.Document) && Pointer == other.Pointer;

    public override int GetHashCode() => HashCode.Combine(Document, Pointer);

    public SchemaRef Child(string keyword) => new(Document, Element.GetProperty(keyword), $"{Pointer}/{Escape(keyword)}");

    public SchemaRef Child(string keyword, string name)
        => new(Document, Element.GetProperty(keyword).GetProperty(name), $"{Pointer}/{Escape(keyword)}/{Escape(name)}");

    public IEnumerable<SchemaRef> Children(string keyword)
        => Element.GetProperty(keyword).EnumerateArray().Select((element, i) => new SchemaRef(Document, element, $"{Pointer}/{Escape(keyword)}/{i}"));

    /// <summary>The value of a keyword, or null where it is absent.</summary>
    public JsonElement? Get(string keyword)
        => Element.ValueKind == JsonValueKind.Object && Element.TryGetProperty(keyword, out var value) ? value : null;

    public ConstraintException Unsupported(string keyword, string? why = null)
        => new($"The keyword '{keyword}' can't be enforced{(why is null ? "" : $": {why}")}", keyword, Pointer, "Leave it out, or say the same in another way; docs/constraints.md lists what is supported.");

    public ConstraintException Malformed(string keyword, string why)
        => new($"The keyword '{keyword}' is malformed: {why}", keyword, Pointer);

    private static string Escape(string name) => name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
}

/// <summary>A parsed schema document, with what its references can name.</summary>
internal sealed class SchemaDocument
{
    private readonly Dictionary<string, SchemaRef> _ids = new(StringComparer.Ordinal);

    public SchemaDocument(JsonElement root)
    {
        Root = new SchemaRef(this, root, "#");
        var dialect = Root.Get("$schema") is { ValueKind: JsonValueKind.String } schema ? schema.GetString()! : "";
        IgnoresSiblingsOfRef = dialect.Contains("draft-03", StringComparison.Ordinal) || dialect.Contains("draft-04", StringComparison.Ordinal)
            || dialect.Contains("draft-05", StringComparison.Ordinal) || dialect.Contains("draft-06", StringComparison.Ordinal)
            || dialect.Contains("draft-07", StringComparison.Ordinal);
        Collect(Root, "", 0);
    }

    public SchemaRef Root { get; }

    /// <summary>Up to draft 7 a reference hides all keywords beside it.</summary>
    public bool IgnoresSiblingsOfRef { get; }

    /// <summary>The schema that a <c>$ref</c> names.</summary>
    public SchemaRef Resolve(SchemaRef from, string reference)
    {
        var hash = reference.IndexOf('#', StringComparison.Ordinal);
        var address = hash < 0 ? reference : reference[..hash];
        var fragment = hash < 0 ? "" : Uri.UnescapeDataString(reference[(hash + 1)..]);
        var target = address.Length == 0 ? Root : _ids.GetValueOrDefault(address) ?? _ids.GetValueOrDefault(LastPart(address));
        if (target is null)
        {
            throw from.Unsupported("$ref", $"'{reference}' is outside of the document");
        }

        if (fragment.Length == 0)
        {
            return target;
        }

        if (fragment[0] != '/')
        {
            return _ids.GetValueOrDefault("#" + fragment) ?? throw from.Malformed("$ref", $"nothing is named '{reference}'");
        }

        var element = target.Element;
        var pointer = target.Pointer;
        foreach (var part in fragment[1..].Split('/'))
        {
            var name = part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var child))
            {
                element = child;
            }
            else if (element.ValueKind == JsonValueKind.Array && int.TryParse(name, out var index) && index >= 0 && index < element.GetArrayLength())
            {
                element = element[index];
            }
            else
            {
                throw from.Malformed("$ref", $"'{reference}' points to nothing");
            }

            pointer += "/" + part;
        }

        return new SchemaRef(this, element, pointer);
    }

    private static string LastPart(string address) => address[(address.LastIndexOf('/') + 1)..];

    private void Collect(SchemaRef at, string keyword, int depth)
    {
        if (depth > 256)
        {
            throw at.Malformed(keyword, "it is nested too deeply");
        }

        if (at.Element.ValueKind == JsonValueKind.Array)
        {
            foreach (var (i, element) in at.Element.EnumerateArray().Index())
            {
                Collect(new SchemaRef(this, element, $"{at.Pointer}/{i}"), keyword, depth + 1);
            }
        }

        if (at.Element.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        foreach (var name in (ReadOnlySpan<string>)["$id", "id", "$anchor", "$dynamicAnchor"])
        {
            if (keyword is not ("properties" or "patternProperties") && at.Get(name) is { ValueKind: JsonValueKind.String } id)
            {
                var text = id.GetString()!;
                var key = name.EndsWith("nchor", StringComparison.Ordinal) ? "#" + text : text.Length > 1 ? text.TrimEnd('#') : text;
                _ids.TryAdd(key, at);
                if (!key.StartsWith('#'))
                {
                    _ids.TryAdd(LastPart(key), at);
                }
            }
        }

        foreach (var property in at.Element.EnumerateObject())
        {
            if (property.Name is not ("enum" or "const" or "default" or "examples"))
            {
                Collect(new SchemaRef(this, property.Value, $"{at.Pointer}/{property.Name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}"), property.Name, depth + 1);
            }
        }
    }
}

using System.CommandLine;
using System.Text.Json;
using Orchestrator.Console.Commands;
using Orchestrator.Console.Commands.Models;
using Orchestrator.Console.Hosting;
using Orchestrator.Testing.Models;

namespace Orchestrator.Console.Tests.Commands;

public sealed class ModelCommandsTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("orchestrator-").FullName;

    public ModelCommandsTests() => File.WriteAllText(
        Path.Combine(_root, "appsettings.json"),
        """{"Orchestrator": {"Models": {"Root": "store", "Endpoint": "http://127.0.0.1:9", "Retries": 0}}}""");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task An_empty_store_lists_what_can_be_pulled()
    {
        var (exit, output, _) = await RunAsync("list");
        Assert.Equal(ExitCodes.Ok, exit);
        Assert.Contains("smollm2-135m", output, StringComparison.Ordinal);
        Assert.Contains("orchestrator model pull smollm2-135m", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_lives_from_add_to_remove()
    {
        TinyModel.Create(Path.Combine(_root, "mine.gguf"));
        Assert.Equal(ExitCodes.Ok, (await RunAsync("add", "mine.gguf", "--name", "small")).Exit);

        var listed = JsonDocument.Parse((await RunAsync("list", "--json")).Output).RootElement;
        Assert.Equal("small", listed.GetProperty("name").GetString());
        Assert.True(listed.GetProperty("here").GetBoolean());

        var (verified, output, _) = await RunAsync("verify");
        Assert.Equal(ExitCodes.Ok, verified);
        Assert.Contains("small: sound", output, StringComparison.Ordinal);

        await using (var file = File.OpenWrite(Path.Combine(_root, "mine.gguf")))
        {
            file.Position = file.Length - 8;
            file.WriteByte(1);
        }

        var (changed, _, error) = await RunAsync("verify", "small");
        Assert.Equal(ExitCodes.Model, changed);
        Assert.Contains("has changed", error, StringComparison.Ordinal);

        Assert.Equal(ExitCodes.Ok, (await RunAsync("remove", "small")).Exit);
        Assert.True(File.Exists(Path.Combine(_root, "mine.gguf")));
        Assert.Equal(ExitCodes.Model, (await RunAsync("remove", "small")).Exit);
    }

    [Fact]
    public async Task A_card_shows_the_model_and_its_memory()
    {
        var (exit, output, _) = await RunAsync("show", TinyModel.SharedPath, "--context", "1024");
        Assert.Equal(ExitCodes.Ok, exit);
        Assert.Contains("architecture", output, StringComparison.Ordinal);
        Assert.Contains("1,024", output, StringComparison.Ordinal);
        Assert.Contains("256 KiB", output, StringComparison.Ordinal);

        var card = JsonDocument.Parse((await RunAsync("show", TinyModel.SharedPath, "--context", "1024", "--json")).Output).RootElement;
        Assert.Equal("tiny", card.GetProperty("name").GetString());
        Assert.Equal(1024 * 256, card.GetProperty("memory")[0].GetProperty("cache").GetInt64());
        Assert.Empty(card.GetProperty("problems").EnumerateArray());
    }

    [Theory]
    [InlineData("Just notes.", "not a GGUF file")]
    [InlineData(null, "truncated")]
    public async Task A_broken_file_is_an_error_of_the_model(string? content, string cause)
    {
        var path = Path.Combine(_root, "bad.gguf");
        if (content is null)
        {
            await File.WriteAllBytesAsync(path, File.ReadAllBytes(TinyModel.SharedPath)[..^500]);
        }
        else
        {
            await File.WriteAllTextAsync(path, content);
        }

        var (exit, _, error) = await RunAsync("show", "bad.gguf");
        Assert.Equal(ExitCodes.Model, exit);
        Assert.Contains(cause, error.ReplaceLineEndings(" "), StringComparison.Ordinal);
        Assert.Contains(path, error, StringComparison.Ordinal);
        Assert.Contains("try: ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("show", "qwen3-4b", "orchestrator model pull qwen3-4b")]
    [InlineData("show", "nothing", "Name a GGUF file")]
    [InlineData("pull", "qwen3-4b", "Check the connection")]
    public async Task A_missing_model_says_what_to_do(string command, string model, string remedy)
    {
        var (exit, output, error) = await RunAsync(command, model);
        Assert.Equal(ExitCodes.Model, exit);
        Assert.Contains(remedy, error.ReplaceLineEndings(" "), StringComparison.Ordinal);
        Assert.DoesNotContain("%", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_pulled_is_wrong_use()
    {
        Assert.Equal(ExitCodes.Usage, (await RunAsync("pull", "no/such")).Exit);
    }

    [Fact]
    public async Task A_text_becomes_tokens()
    {
        var json = JsonDocument.Parse((await RunAsync("tokenize", TinyModel.SharedPath, "the team<|im_end|>", "--special", "--json")).Output).RootElement;
        Assert.Equal(TinyVocabulary.MessageEnd, json.GetProperty("ids").EnumerateArray().Last().GetInt32());
        Assert.Equal("the team", string.Concat(json.GetProperty("pieces").EnumerateArray().Select(piece => piece.GetString())));

        var plain = JsonDocument.Parse((await RunAsync("tokenize", TinyModel.SharedPath, "<|im_end|>", "--json")).Output).RootElement;
        Assert.DoesNotContain(true, plain.GetProperty("special").EnumerateArray().Select(special => special.GetBoolean()));
    }

    [Fact]
    public async Task A_template_is_rendered()
    {
        await File.WriteAllTextAsync(Path.Combine(_root, "t.jinja"), "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}{% endfor %}{% if tools %}{{ tools | tojson }}{% endif %}");
        await File.WriteAllTextAsync(Path.Combine(_root, "m.json"), """{"bos_token": "<s>", "messages": [{"role": "user", "content": "Grüße"}], "tools": [{"name": "f"}]}""");
        var (exit, output, _) = await RunAsync("template", "--file", "t.jinja", "--messages", "m.json");
        Assert.Equal(ExitCodes.Ok, exit);
        Assert.Equal("<s>[user] Grüße[{\"name\": \"f\"}]", output);

        var json = JsonDocument.Parse((await RunAsync("template", "--file", "t.jinja", "--messages", "m.json", "--json")).Output).RootElement;
        Assert.Equal(output, json.GetProperty("prompt").GetString());

        (exit, output, _) = await RunAsync("template", "--model", TinyModel.SharedPath, "--messages", "m.json");
        Assert.Equal(ExitCodes.Ok, exit);
        Assert.Contains("Grüße", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{{ 1 + }}", """{"messages": []}""", ExitCodes.Model, "line 1, column 8")]
    [InlineData("{{ raise_exception('No system role.') }}", """{"messages": []}""", ExitCodes.Model, "No system role.")]
    [InlineData("x", "{", ExitCodes.Usage, "is not JSON")]
    [InlineData("x", "{}", ExitCodes.Usage, "no list of messages")]
    public async Task A_broken_template_or_input_is_a_clear_error(string template, string messages, int expected, string cause)
    {
        await File.WriteAllTextAsync(Path.Combine(_root, "t.jinja"), template);
        await File.WriteAllTextAsync(Path.Combine(_root, "m.json"), messages);
        var (exit, _, error) = await RunAsync("template", "--file", "t.jinja", "--messages", "m.json");
        Assert.Equal(expected, exit);
        Assert.Contains(cause, error.ReplaceLineEndings(" "), StringComparison.Ordinal);
    }

    private async Task<(int Exit, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var root = new RootCommand { GlobalOptions.Json, GlobalOptions.NoColor, GlobalOptions.Verbose, GlobalOptions.Root, ModelCommands.Create() };
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exit = await root.Parse(["model", .. arguments, "--no-color", "--root", _root])
            .InvokeAsync(new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false });
        return (exit, output.ToString(), error.ToString());
    }
}

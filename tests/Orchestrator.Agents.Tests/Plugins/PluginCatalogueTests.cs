using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Microsoft.SemanticKernel;
using Orchestrator.Agents.Definitions;
using Orchestrator.Agents.Plugins;
using Orchestrator.Agents.Tests.Definitions;
using Orchestrator.Agents.Tools;
using Orchestrator.Core;
using Orchestrator.Core.Plugins;
using Orchestrator.Core.Runs;
using Orchestrator.Core.Teams;
using Orchestrator.Testing.Models;

namespace Orchestrator.Agents.Tests.Plugins;

public sealed class PluginCatalogueTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_assembly_is_loaded_on_its_own_and_gets_the_run_s_context()
    {
        InstallAssembly("functions:\n  - {name: greet, side_effects: none, deadline: 3s}");
        await using var set = await OpenAsync("sample", ("place", "here"));

        var plugin = Assert.Single(set.Plugins);
        Assert.Equal(["sample-greet", "sample-year", "sample-mood", "sample-count", "sample-throw", "sample-hang"], set.Tools);
        Assert.Equal("Hello Ada from here", await CallAsync(plugin, "greet", ("name", "Ada")));
        Assert.Equal((SideEffects.None, TimeSpan.FromSeconds(3)), (set.PolicyOf("sample-greet").SideEffects, set.PolicyOf("sample-greet").Deadline));
        Assert.Equal(SideEffects.Any, set.PolicyOf("sample-year").SideEffects);
        Assert.DoesNotContain(AppDomain.CurrentDomain.GetAssemblies(), a =>
            a.GetName().Name == "SamplePlugin" && System.Runtime.Loader.AssemblyLoadContext.GetLoadContext(a) == System.Runtime.Loader.AssemblyLoadContext.Default);
    }

    [Fact]
    public async Task A_throwing_constructor_is_an_error_of_the_plugin()
    {
        InstallAssembly("");

        var error = await Assert.ThrowsAsync<PluginException>(() => OpenAsync("sample", ("grumpy", "yes")));

        Assert.Equal("sample", error.Plugin);
        Assert.Contains("constructor of SamplePlugin.Grumpy failed: not today", error.Message, StringComparison.Ordinal);
        Assert.Contains("take it out of the team", error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_constructor_that_never_returns_is_given_up()
    {
        InstallAssembly("");
        var time = new FakeTimeProvider();
        var context = Context(("sleepy", "yes")) with { TimeProvider = time };
        var opening = Catalogue().OpenAsync(["sample"], context);

        time.Advance(TimeSpan.FromSeconds(29));
        Assert.False(opening.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));

        var error = await Assert.ThrowsAsync<PluginException>(() => opening);
        Assert.Contains("constructors did not return within 30 s", error.Message, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(_folder.Path, "sample"), error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelling_does_not_wait_for_a_constructor()
    {
        InstallAssembly("");
        using var cancellation = new CancellationTokenSource();
        var opening = Catalogue().OpenAsync(["sample"], Context(("sleepy", "yes")), cancellation.Token);

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => opening);
    }

    [Theory]
    [InlineData("stubborn", 10, "The plugin 'sample' did not close within 10 s and was abandoned.")]
    [InlineData("whiny", 0, "The plugin 'sample' failed to close: InvalidOperationException: not yet")]
    public async Task A_plugin_that_does_not_close_does_not_hold_up_the_run_and_is_told_of(string input, int seconds, string trouble)
    {
        InstallAssembly("");
        var time = new FakeTimeProvider();
        var journal = new RecordingJournal();
        await using var services = new ServiceCollection().AddLogging()
            .AddOrchestratorAgents(options => options.PluginFolders.Add(_folder.Path))
            .BuildServiceProvider();
        var team = new TeamDefinition
        {
            Name = "one",
            Description = "d",
            Members = [new MemberDefinition { Name = "ada", Role = "r", Description = "d", Plugins = ["sample"] }],
        };
        var agents = await services.GetRequiredService<AgentFactory>().CreateAsync(
            team, new ScriptedChatClient(), Context((input, "yes")) with { TimeProvider = time }, journal);

        var closing = agents.DisposeAsync().AsTask();
        time.Advance(TimeSpan.FromSeconds(seconds));
        await closing;

        Assert.Equal(new RunFailed(trouble, Fatal: false), Assert.Single(journal.Events));
    }

    [Fact]
    public async Task A_folder_that_is_not_there_is_no_fault_of_the_constructor()
    {
        InstallAssembly("");

        var error = await Assert.ThrowsAsync<PluginException>(() => OpenAsync("sample", ("shelf", "nowhere")));

        Assert.DoesNotContain("constructor", error.Message, StringComparison.Ordinal);
        Assert.Contains("The input 'shelf' names the folder", error.Message, StringComparison.Ordinal);
        Assert.Contains("--input shelf=FOLDER", error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plugin_is_described_without_running_its_constructors()
    {
        InstallAssembly("functions:\n  - {name: greet, side_effects: none, deadline: 3s}");
        var context = new PluginContext { Root = _folder.Path, Inputs = new Dictionary<string, string> { ["grumpy"] = "yes" } };

        var functions = await Catalogue().DescribeAsync("sample", context);

        Assert.Equal(["sample-greet", "sample-year", "sample-mood", "sample-count", "sample-throw", "sample-hang"], functions.Select(f => f.Tool));
        Assert.Equal("name", Assert.Single(functions[0].Parameters).Name);
        Assert.Equal((SideEffects.None, TimeSpan.FromSeconds(3)), (functions[0].Policy.SideEffects, functions[0].Policy.Deadline));
    }

    [Fact]
    public async Task A_missing_assembly_says_how_to_build_it()
    {
        _folder.Write("sample/plugin.yaml", "name: sample\ndescription: d\nkind: assembly\nassembly: bin/None.dll");

        var error = await Assert.ThrowsAsync<PluginException>(() => OpenAsync("sample"));

        Assert.Contains("None.dll is missing", error.Message, StringComparison.Ordinal);
        Assert.Contains("dotnet build", error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_no_assembly_and_one_without_functions_are_errors()
    {
        _folder.Write("text/plugin.yaml", "name: text\ndescription: d\nkind: assembly\nassembly: a.dll");
        _folder.Write("text/a.dll", "this is text");
        _folder.Write("empty/plugin.yaml", "name: empty\ndescription: d\nkind: assembly\nassembly: a.dll");
        File.Copy(typeof(Spelling).Assembly.Location, Path.Combine(_folder.Path, "empty", "a.dll"));

        var text = await Assert.ThrowsAsync<PluginException>(() => OpenAsync("text"));
        var empty = await Assert.ThrowsAsync<PluginException>(() => OpenAsync("empty"));

        Assert.Contains("can't be loaded", text.Message, StringComparison.Ordinal);
        Assert.Contains("no public class with a method marked [KernelFunction]", empty.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_of_prompts_is_a_plugin()
    {
        _folder.Write("words/plugin.yaml", "name: words\ndescription: d\nkind: prompts");
        _folder.Write("words/shout.yaml", "description: Shouts.\ntemplate: Shout {{$text}}\ninput_variables: [{name: text, description: What.}]");

        await using var set = await OpenAsync("words");

        var function = set.Plugins[0]["shout"];
        Assert.Equal("Shouts.", function.Description);
        Assert.Equal("text", Assert.Single(function.Metadata.Parameters).Name);
    }

    [Fact]
    public async Task An_MCP_server_is_started_called_and_ended()
    {
        Environment.SetEnvironmentVariable("ORCHESTRATOR_TEST_SECRET", "hunter2!");
        var server = Path.Combine(AssetFolder("McpServer"), "McpServer.dll");
        _folder.Write("sample/plugin.yaml", $$"""
            name: sample
            description: d
            kind: mcp
            command: dotnet
            arguments: ["{{server.Replace('\\', '/')}}"]
            environment: {PLACE: here}
            side_effects: none
            """);
        Process process;
        await using (var set = await OpenAsync("sample"))
        {
            var plugin = set.Plugins[0];
            Assert.Equal(["add", "env", "fail", "pid"], plugin.Select(f => f.Name).Order(StringComparer.Ordinal));
            Assert.Equal("Adds two numbers.", plugin["add"].Description);
            process = Process.GetProcessById(int.Parse(await CallAsync(plugin, "pid"), System.Globalization.CultureInfo.InvariantCulture));
            Assert.Equal("5", await CallAsync(plugin, "add", ("a", 2), ("b", 3)));
            Assert.Equal("here", await CallAsync(plugin, "env", ("name", "PLACE")));
            Assert.Equal("unset", await CallAsync(plugin, "env", ("name", "ORCHESTRATOR_TEST_SECRET")));
            Assert.False(process.HasExited);
        }

        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task A_server_that_does_not_start_is_an_error_of_the_plugin()
    {
        _folder.Write("gone/plugin.yaml", "name: gone\ndescription: d\nkind: mcp\ncommand: no-such-command-anywhere");
        _folder.Write("mute/plugin.yaml", "name: mute\ndescription: d\nkind: mcp\ncommand: dotnet\narguments: [--version]");

        var gone = await Assert.ThrowsAsync<PluginException>(() => OpenAsync("gone"));
        var mute = await Assert.ThrowsAsync<PluginException>(() => OpenAsync("mute"));

        Assert.Contains("'no-such-command-anywhere ' did not start", gone.Message, StringComparison.Ordinal);
        Assert.Contains("did not start", mute.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("name: x\ndescription: d\nkind: asembly", 3, "did you mean 'assembly'?")]
    [InlineData("name: x\ndescription: d\nkind: assembly", 3, "needs 'assembly'")]
    [InlineData("name: x\ndescription: d\nkind: mcp", 3, "needs 'command'")]
    [InlineData("name: x\ndescription: d\nkind: assembly\nassembly: ../../evil.dll", 4, "leaves the plugin's folder")]
    [InlineData("name: x-y\ndescription: d\nkind: prompts", 1, "'x-y' is not allowed")]
    [InlineData("name: x\nkind: prompts", 1, "a plugin needs 'description'")]
    [InlineData("name: x\ndescription: d\nkind: prompts\nfunctions: [{name: a, deadline: soon}]", 4, "'soon' is not a time")]
    public async Task A_broken_manifest_is_an_error_with_its_line(string manifest, int line, string message)
    {
        _folder.Write("x/plugin.yaml", manifest);

        var error = await Assert.ThrowsAsync<DefinitionException>(() => OpenAsync("x"));

        Assert.Contains(message, error.Errors[0].Message, StringComparison.Ordinal);
        Assert.Equal(line, error.Errors[0].Line);
        Assert.Single(Catalogue().List().Errors.Select(e => e.File).Distinct());
    }

    [Fact]
    public async Task Shell_is_off_until_the_settings_switch_it_on()
    {
        var error = await Assert.ThrowsAsync<PluginException>(() => OpenAsync("shell"));
        Assert.Contains("Orchestrator:Agents:Enable:0 = shell", error.Remedy, StringComparison.Ordinal);

        await using var set = await Catalogue(new AgentsOptions { Enable = ["shell"] }).OpenAsync(["shell"], Context());
        Assert.True(set.PolicyOf("shell-run").NeedsApproval([]));
    }

    [Fact]
    public async Task The_settings_approval_goes_before_the_manifest_s()
    {
        var options = new AgentsOptions { Enable = ["shell"], Approvals = { ["shell-run"] = Approval.Always, ["files"] = Approval.Never } };

        await using var set = await Catalogue(options).OpenAsync(["shell", "files"], Context());

        Assert.Equal(Approval.Always, set.PolicyOf("shell-run").Approval);
        Assert.Equal(Approval.Never, set.PolicyOf("files-write").Approval);
        Assert.Equal(Approval.Ask, set.PolicyOf("stranger-do").Approval);
    }

    [Fact]
    public async Task An_unknown_plugin_names_the_near_one()
    {
        var error = await Assert.ThrowsAsync<OrchestratorException>(() => OpenAsync("fils"));

        Assert.Contains("did you mean 'files'?", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_cannot_take_the_place_of_a_built_in_plugin()
    {
        _folder.Write("files/plugin.yaml", "name: files\ndescription: evil\nkind: prompts");

        Assert.Equal(PluginKind.BuiltIn, Catalogue().List().Plugins.Single(p => p.Name == "files").Kind);
    }

    [Fact]
    public void The_schema_for_editors_is_up_to_date() =>
        SchemaFile.AssertIs(PluginCatalogue.JsonSchema, "plugins", "plugin.schema.json");

    private void InstallAssembly(string more)
    {
        foreach (var file in Directory.EnumerateFiles(AssetFolder("SamplePlugin")))
        {
            Directory.CreateDirectory(Path.Combine(_folder.Path, "sample"));
            File.Copy(file, Path.Combine(_folder.Path, "sample", Path.GetFileName(file)));
        }

        _folder.Write("sample/plugin.yaml", $"name: sample\ndescription: d\nkind: assembly\nassembly: SamplePlugin.dll\n{more}");
    }

    /// <summary>The asset is built beside the tests, in the same configuration.</summary>
    private static string AssetFolder(string project)
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        return RepositoryRoot.Combine("tests", "assets", project, "bin", output.Parent!.Name, output.Name);
    }

    private static async Task<string> CallAsync(KernelPlugin plugin, string function, params (string Name, object? Value)[] arguments)
    {
        var kernel = new Kernel();
        var result = await plugin[function].InvokeAsync(kernel, new KernelArguments(arguments.ToDictionary(a => a.Name, a => a.Value)));
        return ToolText.Result(result);
    }

    private PluginCatalogue Catalogue(AgentsOptions? options = null)
    {
        options ??= new AgentsOptions();
        options.PluginFolders.Add(_folder.Path);
        return new PluginCatalogue(options);
    }

    private PluginContext Context(params (string Name, string Value)[] inputs) => new()
    {
        Root = _folder.Path,
        Inputs = inputs.ToDictionary(i => i.Name, i => i.Value),
    };

    private Task<PluginSet> OpenAsync(string name, params (string Name, string Value)[] inputs) =>
        Catalogue().OpenAsync([name], Context(inputs));
}

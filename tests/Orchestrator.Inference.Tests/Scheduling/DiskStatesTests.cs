using FsCheck.Xunit;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Inference.Scheduling.Cache;
using Orchestrator.Testing.Drivers;
using Orchestrator.Testing.Models;
using static Orchestrator.Inference.Tests.Scheduling.EngineHarness;

namespace Orchestrator.Inference.Tests.Scheduling;

/// <summary>A restarted engine starts warm, and whatever happened to its folder costs time at most.</summary>
public sealed class DiskStatesTests : IDisposable
{
    private static readonly string Long = string.Concat(Enumerable.Repeat("a team of agents works on one model. ", 4));
    private static readonly AdapterPlan Base = AdapterPlan.Always(AdapterSet.None);
    private readonly TemporaryFolder _folder = new();

    private string States => _folder.File("states");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_restarted_engine_computes_only_what_is_new()
    {
        var prompt = Text(Long + "Who?");
        await RunAsync(Greedy(Text(Long + "What?"), 4));

        var (answer, after) = await RunAsync(Greedy(prompt, 8));

        Assert.Equal(Alone(prompt, 8), answer.Select(t => t.Token));
        Assert.InRange(answer[^1].Cost!.ComputedTokens, 1, 8);
        Assert.InRange(after.DiskRestoredTokens, prompt.Length - 8, prompt.Length + 8);
        Assert.True(after.DiskBytes > 0);
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("state")]
    [InlineData("tokens")]
    [InlineData("text")]
    [InlineData("version")]
    [InlineData("length")]
    [InlineData("empty")]
    public async Task A_damaged_file_is_deleted_and_its_text_computed_again(string damage)
    {
        var prompt = Text(Long + "Who?");
        await RunAsync(Greedy(prompt, 4));
        var file = Assert.Single(Files());
        var bytes = await File.ReadAllBytesAsync(file);
        switch (damage)
        {
            case "cut": bytes = bytes[..^10]; break;
            case "state": bytes[^3] ^= 1; break;
            case "tokens": bytes[30] ^= 1; break;
            case "text": bytes = "this is text"u8.ToArray(); break;
            case "version": bytes[7] = (byte)'9'; break;
            case "length": bytes.AsSpan(8, 4).Fill(0x7F); break;
            default: bytes = []; break;
        }

        await File.WriteAllBytesAsync(file, bytes);

        var (answer, after) = await RunAsync(Greedy(prompt, 8));

        Assert.Equal(Alone(prompt, 8), answer.Select(t => t.Token));
        Assert.Equal(0, after.DiskRestoredTokens);
        Assert.False(File.Exists(file));
        Assert.Single(Files());
    }

    [Fact]
    public async Task States_of_another_model_are_left_alone()
    {
        await RunAsync(Greedy(Text(Long), 4));

        var (answer, after) = await RunAsync(Greedy(Text(Long), 4), new FakeDriverOptions { StateFingerprint = 2 });

        Assert.Equal((0, Text(Long).Length), (after.DiskRestoredTokens, answer[^1].Cost!.ComputedTokens));
        Assert.Equal(2, Files().Length);
    }

    [Fact]
    public async Task What_was_evicted_is_found_too()
    {
        var driver = new FakeDriverOptions { ContextSize = 200 };
        await RunAsync([Greedy(Text(Long), 2), .. Enumerable.Range(0, 6).Select(i => Greedy(Text($"{i} something else, quite long, that takes the room of others {i}"), 2))], driver, stateBytes: 0);

        var (answer, _) = await RunAsync(Greedy(Text(Long), 4), driver);

        Assert.InRange(answer[^1].Cost!.ComputedTokens, 1, 40);
    }

    [Fact]
    public async Task What_adapters_made_is_found_by_their_content_whatever_they_are_called()
    {
        var prompt = Text(Long + "Who?");
        await File.WriteAllTextAsync(_folder.File("tone"), "one");
        await RunAsync(Greedy(prompt, 4, new Core.Models.AdapterUse("tone")));
        Assert.Single(Files());

        var same = await RunAsync(Greedy(prompt, 4, new Core.Models.AdapterUse("tone")));
        var weaker = await RunAsync(Greedy(prompt, 4, new Core.Models.AdapterUse("tone", 0.5f)));
        var without = await RunAsync(Greedy(prompt, 4));
        File.Copy(_folder.File("tone"), _folder.File("style"));
        var renamed = await RunAsync(Greedy(prompt, 4, new Core.Models.AdapterUse("style")));

        Assert.InRange(same.Answer[^1].Cost!.ComputedTokens, 1, 8);
        Assert.InRange(renamed.Answer[^1].Cost!.ComputedTokens, 1, 8);
        Assert.Equal((0, prompt.Length), (weaker.After.DiskRestoredTokens, weaker.Answer[^1].Cost!.ComputedTokens));
        Assert.Equal((0, prompt.Length), (without.After.DiskRestoredTokens, without.Answer[^1].Cost!.ComputedTokens));
    }

    [Fact]
    public async Task A_replaced_adapter_of_the_same_name_is_not_matched()
    {
        var prompt = Text(Long + "Who?");
        var request = Greedy(prompt, 4, new Core.Models.AdapterUse("tone"));
        await File.WriteAllTextAsync(_folder.File("tone"), "one");
        await RunAsync(request);
        await File.WriteAllTextAsync(_folder.File("tone"), "two");
        var (answer, after) = await RunAsync(request);
        await File.WriteAllTextAsync(_folder.File("tone"), "one");
        var (_, back) = await RunAsync(request);

        Assert.Equal((0, prompt.Length), (after.DiskRestoredTokens, answer[^1].Cost!.ComputedTokens));
        Assert.True(back.DiskRestoredTokens > 0);
    }

    [Fact]
    public async Task An_adapter_whose_content_nobody_can_read_is_not_kept()
    {
        await RunAsync(Greedy(Text(Long), 4, new Core.Models.AdapterUse("tone")));
        Assert.Empty(Files());
    }

    [Fact]
    public async Task A_folder_too_small_for_all_keeps_what_was_used_last()
    {
        GenerationRequest[] requests = [.. Enumerable.Range(0, 4).Select(i => Greedy(Text($"{i}: {Long}"), 4))];
        await RunAsync(requests[0]);
        var one = new FileInfo(Assert.Single(Files())).Length;

        await RunAsync(requests, folderBytes: 5 * one / 2);

        Assert.Equal(2, Files().Length);
        await using var engine = Open(folderBytes: 5 * one / 2);
        Assert.InRange((await TakeAsync(engine, requests[3]))[^1].Cost!.ComputedTokens, 1, 8);
        Assert.InRange((await TakeAsync(engine, requests[2]))[^1].Cost!.ComputedTokens, 1, 8);
    }

    [Fact]
    public async Task A_second_engine_goes_without_and_harms_nothing()
    {
        await RunAsync(Greedy(Text(Long), 4));
        await using var first = Open();
        await using (var second = Open())
        {
            Assert.Equal(Text(Long).Length, (await TakeAsync(second, Greedy(Text(Long), 4)))[^1].Cost!.ComputedTokens);
        }

        Assert.InRange((await TakeAsync(first, Greedy(Text(Long), 4)))[^1].Cost!.ComputedTokens, 1, 8);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_made_is_no_error()
    {
        File.WriteAllText(States, "a file where the folder should be");
        var (answer, _) = await RunAsync(Greedy(Text(Long), 4));
        Assert.Equal(Alone(Text(Long), 4), answer.Select(t => t.Token));
    }

    [Fact]
    public void A_folder_must_be_absolute() => Assert.Throws<ArgumentException>(() =>
        new InferenceEngine(new FakeDriver(), new InferenceEngineOptions { StateFolder = "states" }));

    [Fact]
    public void The_least_recently_used_go_first_and_a_longer_one_replaces_its_beginning()
    {
        using (var states = OpenStates(capacity: 600))
        {
            states.AddLast(Base, [1, 2, 3], new byte[100]);
            states.AddLast(Base, [4, 5, 6], new byte[100]);
            states.AddLast(Base, [4, 5, 6, 7], new byte[100]);
        }

        using (var states = OpenStates(capacity: 600))
        {
            Assert.Equal(3, states.Find(Base, [1, 2, 3, 4], whole: true)!.Value.Length);
            Assert.Equal(4, states.Find(Base, [4, 5, 6, 7], whole: false)!.Value.Entry.Tokens.Length);
            Assert.NotNull(states.Read(states.Find(Base, [1, 2, 3], whole: false)!.Value.Entry));
            states.AddLast(Base, [8, 9], new byte[250]);
        }

        using (var states = OpenStates(capacity: 600))
        {
            Assert.Null(states.Find(Base, [4, 5], whole: false));
            Assert.NotNull(states.Find(Base, [1, 2], whole: false));
            Assert.NotNull(states.Find(Base, [8, 9], whole: false));
        }
    }

    [Fact]
    public void A_full_disk_ends_the_tier_and_leaves_no_half_file()
    {
        using (var states = OpenStates(create: path => new FullDisk(path)))
        {
            states.AddLast(Base, [1, 2, 3], new byte[1000]);
            states.AddLast(Base, [4, 5, 6], new byte[1000]);
        }

        Assert.Empty(Directory.GetFiles(States, "*.part", SearchOption.AllDirectories));
        Assert.Empty(Files());
    }

    [Fact]
    public void A_file_that_a_kill_left_half_written_is_deleted()
    {
        OpenStates().Dispose();
        var part = System.IO.Path.Combine(Directory.GetDirectories(States).Single(), "x.kvstate.part");
        File.WriteAllText(part, "half");
        OpenStates().Dispose();
        Assert.False(File.Exists(part));
    }

    [Property(MaxTest = 15, Replay = "11,13")]
    public void Outputs_do_not_depend_on_what_was_kept(int seed) => ManyAsync(seed).GetAwaiter().GetResult();

    [Fact]
    public async Task On_llama_cpp_too()
    {
        var driver = new LlamaDriverOptions { ModelPath = TestModels.Real ?? TinyModel.SharedPath, ContextSize = 512, MaxSequences = 4, Threads = 1 };
        async Task<List<GeneratedToken>> AnswerAsync()
        {
            await using var engine = new InferenceEngine(LlamaDriverLoader.Open(driver), new InferenceEngineOptions { StateFolder = States });
            return await TakeAsync(engine, Greedy(engine.Tokenizer.Tokenize(Long, parseSpecial: false), 8));
        }

        var (first, second) = (await AnswerAsync(), await AnswerAsync());

        Assert.True(first[^1].Cost!.ComputedTokens > 30);
        Assert.Equal(1, second[^1].Cost!.ComputedTokens);
        Assert.Equal(first.Take(2).Select(t => t.Token), second.Take(2).Select(t => t.Token));
    }

    [Fact]
    public async Task A_replaced_adapter_answers_on_llama_cpp_as_if_nothing_had_been_kept()
    {
        var driver = new LlamaDriverOptions { ModelPath = TinyModel.SharedPath, ContextSize = 512, MaxSequences = 4, Threads = 1 };
        var file = _folder.File("tone");
        async Task<(List<GeneratedToken> Answer, long Restored)> AnswerAsync(string? states)
        {
            await using var engine = new InferenceEngine(LlamaDriverLoader.Open(driver), new InferenceEngineOptions { StateFolder = states }, _ => file);
            var answer = await TakeAsync(engine, Greedy(engine.Tokenizer.Tokenize(Long, parseSpecial: false), 8, new Core.Models.AdapterUse("tone")));
            await engine.AuditAsync();
            return (answer, engine.GetStatistics().DiskRestoredTokens);
        }

        TinyAdapter.Create(file, TinyModel.SharedPath, new TinyAdapterOptions { Seed = 1 });
        var first = await AnswerAsync(States);
        var again = await AnswerAsync(States);
        TinyAdapter.Create(file, TinyModel.SharedPath, new TinyAdapterOptions { Seed = 2 });
        var replaced = await AnswerAsync(States);
        var fresh = await AnswerAsync(null);

        Assert.True(again.Restored > 30);
        Assert.Equal(first.Answer.Take(2).Select(t => t.Token), again.Answer.Take(2).Select(t => t.Token));
        Assert.Equal(0, replaced.Restored);
        Assert.Equal(fresh.Answer.Select(t => (t.Token, t.LogProbability)), replaced.Answer.Select(t => (t.Token, t.LogProbability)));
    }

    private async Task ManyAsync(int seed)
    {
        var random = new Random(seed);
        var driver = new FakeDriverOptions { ContextSize = random.Next(150, 500), MaxSequences = random.Next(2, 8), CanCut = random.Next(4) > 0 };
        for (var start = 0; start < 3; start++)
        {
            await using var engine = Open(driver, random.Next(2) * 5_000);
            for (var i = 0; i < 6; i++)
            {
                var prompt = Text(Long[..random.Next(1, 120)] + random.Next(3));
                Assert.Equal(Alone(prompt, 5, driver), (await TakeAsync(engine, Greedy(prompt, 5))).Select(t => t.Token));
            }

            Assert.Empty(await engine.AuditAsync());
        }
    }

    private string[] Files() => Directory.Exists(States) ? Directory.GetFiles(States, "*.kvstate", SearchOption.AllDirectories) : [];

    private DiskStates OpenStates(long capacity = 1 << 20, Func<string, Stream>? create = null) =>
        DiskStates.Open(States, 7, capacity, TimeProvider.System, NullLogger.Instance, create)!;

    private InferenceEngine Open(FakeDriverOptions? driver = null, long stateBytes = 1 << 20, long folderBytes = 1 << 30) => new(
        new FakeDriver(driver),
        new InferenceEngineOptions { StateFolder = States, StateCacheBytes = stateBytes, StateFolderBytes = folderBytes },
        name => _folder.File(name));

    private async Task<(List<GeneratedToken> Answer, EngineStatistics After)> RunAsync(GenerationRequest request, FakeDriverOptions? driver = null) =>
        await RunAsync([request], driver);

    private async Task<(List<GeneratedToken> Answer, EngineStatistics After)> RunAsync(
        IReadOnlyList<GenerationRequest> requests, FakeDriverOptions? driver = null, long stateBytes = 1 << 20, long folderBytes = 1 << 30)
    {
        await using var engine = Open(driver, stateBytes, folderBytes);
        List<GeneratedToken> answer = [];
        foreach (var request in requests)
        {
            answer = await TakeAsync(engine, request);
        }

        Assert.Empty(await engine.AuditAsync());
        return (answer, engine.GetStatistics());
    }

    private static async Task<List<GeneratedToken>> TakeAsync(InferenceEngine engine, GenerationRequest request)
    {
        var tokens = new List<GeneratedToken>();
        await foreach (var token in engine.GenerateAsync(request))
        {
            tokens.Add(token);
        }

        return tokens;
    }

    /// <summary>Has room for 100 bytes.</summary>
    private sealed class FullDisk(string path) : FileStream(path, FileMode.Create)
    {
        public override void Write(byte[] buffer, int offset, int count)
        {
            base.Write(buffer, offset, Math.Min(count, 100));
            throw new IOException("No space left on device");
        }

        public override void Write(ReadOnlySpan<byte> buffer) => Write(buffer.ToArray(), 0, buffer.Length);
    }
}

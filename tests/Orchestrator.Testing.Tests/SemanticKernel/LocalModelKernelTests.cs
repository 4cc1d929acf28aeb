using System.ComponentModel;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.SemanticKernel;
using Orchestrator.Inference.Hosting;
using Orchestrator.Testing.Drivers;
using Orchestrator.Testing.Models;
using FunctionInvocationContext = Microsoft.SemanticKernel.FunctionInvocationContext;

namespace Orchestrator.Testing.Tests.SemanticKernel;

/// <summary>Semantic Kernel on a local model, without anything of ours between them but the chat client.</summary>
public sealed class LocalModelKernelTests
{
    [Fact]
    public async Task A_prompt_function_finds_the_client_in_the_service_collection()
    {
        await using var model = Saying(prompt => prompt.Contains("Say colour", StringComparison.Ordinal) ? "blue" : "?");
        var kernel = KernelOn(model);

        var answer = await kernel.InvokePromptAsync<string>("Say {{$what}}", new KernelArguments { ["what"] = "colour" });

        Assert.Equal("blue", answer);
    }

    [Fact]
    public async Task A_plugin_is_called_under_automatic_function_choice_and_filters_see_it()
    {
        await using var model = Saying(prompt => prompt.Contains("<tool_response>", StringComparison.Ordinal)
            ? "It is sunny."
            : "<tool_call>\n{\"name\": \"weather-look\", \"arguments\": {\"city\":\"Bern\"}}\n</tool_call>");
        var kernel = KernelOn(model);
        kernel.Plugins.AddFromObject(new WeatherPlugin(), "weather");
        var seen = new Seen();
        kernel.FunctionInvocationFilters.Add(seen);
        kernel.AutoFunctionInvocationFilters.Add(seen);
        var settings = new PromptExecutionSettings { FunctionChoiceBehavior = FunctionChoiceBehavior.Auto() };

        var answer = await kernel.InvokePromptAsync<string>("How is the weather in Bern?", new KernelArguments(settings));

        Assert.Equal("It is sunny.", answer);
        Assert.Contains("look(Bern)", seen.Calls);
        Assert.Contains("auto look", seen.Calls);
    }

    [Fact]
    public async Task The_whole_registration_loads_a_real_file()
    {
        var services = new ServiceCollection();
        services.AddOrchestratorInference(options =>
        {
            options.Model = TinyModel.SharedPath;
            options.ContextSize = 512;
            options.Threads = 1;
        });
        services.AddKernel();
        await using var provider = services.BuildServiceProvider();
        var settings = new PromptExecutionSettings { ExtensionData = new Dictionary<string, object> { ["max_tokens"] = 8 } };

        var result = await provider.GetRequiredService<Kernel>().InvokePromptAsync("Hello", new KernelArguments(settings));
        var vectors = await provider.GetRequiredService<IEmbeddingGenerator<string, Embedding<float>>>().GenerateAsync(["a", "b", "a"]);

        Assert.NotNull(result.GetValue<string>());
        Assert.Equal(1, vectors[0].Vector.ToArray().Sum(x => x * x), 3);
        Assert.Equal(vectors[0].Vector.ToArray(), vectors[2].Vector.ToArray());
        Assert.NotEqual(vectors[0].Vector.ToArray(), vectors[1].Vector.ToArray());
    }

    private static LoadedModel Saying(Func<string, string> answer) => LoadedModel.Create(
        new FakeDriver(new FakeDriverOptions { Script = FakeDriverScript.Answers(answer) }), new InferenceOptions(), TimeProvider.System);

    private static Kernel KernelOn(LoadedModel model)
    {
        var builder = Kernel.CreateBuilder();
        builder.Services.AddSingleton<IChatClient>(model.Chat.AsBuilder().UseKernelFunctionInvocation().Build());
        return builder.Build();
    }

    private sealed class WeatherPlugin
    {
        [KernelFunction("look"), Description("Tells the weather of a city.")]
        public static string Look(string city) => $"sunny in {city}";
    }

    private sealed class Seen : IFunctionInvocationFilter, IAutoFunctionInvocationFilter
    {
        public List<string> Calls { get; } = [];

        public async Task OnFunctionInvocationAsync(FunctionInvocationContext context, Func<FunctionInvocationContext, Task> next)
        {
            Calls.Add($"{context.Function.Name}({context.Arguments.GetValueOrDefault("city")})");
            await next(context);
        }

        public async Task OnAutoFunctionInvocationAsync(AutoFunctionInvocationContext context, Func<AutoFunctionInvocationContext, Task> next)
        {
            Calls.Add($"auto {context.Function.Name}");
            await next(context);
        }
    }
}

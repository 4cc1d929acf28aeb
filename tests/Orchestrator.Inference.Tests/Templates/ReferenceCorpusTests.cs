using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Orchestrator.Inference.Templates;
using Xunit.Abstractions;

namespace Orchestrator.Inference.Tests.Templates;

/// <summary>
/// Compares with the reference implementation over any folder of templates: run <c>golden/reference.py corpus DIR OUT</c>
/// and name OUT in the environment variable ORCHESTRATOR_TEMPLATE_CORPUS.
/// </summary>
public class ReferenceCorpusTests(ITestOutputHelper output)
{
    [SkippableFact]
    public void Renders_published_templates_as_the_reference_does()
    {
        var path = Environment.GetEnvironmentVariable("ORCHESTRATOR_TEMPLATE_CORPUS");
        Skip.If(string.IsNullOrEmpty(path), "ORCHESTRATOR_TEMPLATE_CORPUS names no corpus");
        var corpus = JsonNode.Parse(File.ReadAllText(path))!;
        var (equal, rendered, refused, bothRefuse) = (0, 0, 0, 0);
        var report = new StringBuilder();
        foreach (var (name, entry) in corpus["templates"]!.AsObject())
        {
            foreach (var expected in entry!["cases"]!.AsArray())
            {
                var actual = GoldenTemplateTests.Render(entry["source"]!.GetValue<string>(), corpus["inputs"]![expected!["name"]!.GetValue<string>()]!.AsObject());
                if (expected["error"] is { } error)
                {
                    refused++;
                    bothRefuse += actual.Error is not null ? 1 : 0;
                    if (actual.Error is null)
                    {
                        report.AppendLine($"{name} {expected["name"]}: accepted, the reference says {error}");
                    }

                    continue;
                }

                rendered++;
                if (actual.Text == expected["expected"]!.GetValue<string>())
                {
                    equal++;
                }
                else
                {
                    report.AppendLine($"{name} {expected["name"]}: {actual.Error ?? GoldenTemplateTests.FirstDifference(expected["expected"]!.GetValue<string>(), actual.Text!)}");
                }
            }
        }

        output.WriteLine($"{equal} of {rendered} renderings equal; {bothRefuse} of {refused} refusals alike\n{report}");
        Assert.True(equal >= 0.99 * rendered, $"{equal} of {rendered} renderings equal\n{report}");
        Assert.True(bothRefuse >= 0.99 * refused, $"{bothRefuse} of {refused} refusals alike\n{report}");
    }

    [SkippableFact]
    public void Time_of_a_hundred_messages()
    {
        Skip.If(string.IsNullOrEmpty(Environment.GetEnvironmentVariable("ORCHESTRATOR_TEMPLATE_CORPUS")), "for measuring");
        foreach (var name in GoldenTemplateTests.Names)
        {
            var messages = new JsonArray();
            for (var i = 0; i < 100; i++)
            {
                messages.Add(new JsonObject { ["role"] = i % 2 == 0 ? "user" : "assistant", ["content"] = string.Concat(Enumerable.Repeat($"Message {i} says something. ", 20)) });
            }

            var template = ChatTemplate.Parse(GoldenTemplateTests.Source(name));
            var input = new ChatTemplateInput(messages, new JsonArray(GoldenTemplateTests.Input("user+tools")["tools"]![0]!.DeepClone()), true, new JsonObject { ["bos_token"] = "<s>", ["eos_token"] = "</s>" });
            var times = new List<double>();
            for (var i = 0; i < 300; i++)
            {
                var start = Stopwatch.GetTimestamp();
                template.Render(input);
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }

            times = [.. times.Skip(100).Order()];
            output.WriteLine($"{name}: median {times[100]:0.00} ms, p95 {times[190]:0.00} ms");
        }
    }
}

using System.ComponentModel;
using Microsoft.SemanticKernel;

namespace SamplePlugin;

/// <summary>Functions that fail in the two ways there are.</summary>
public sealed class Trouble
{
    [KernelFunction("throw"), Description("Throws.")]
    public string Throw() => throw new InvalidOperationException("the plugin is cross");

    [KernelFunction("hang"), Description("Never returns.")]
    public string Hang()
    {
        Thread.Sleep(Timeout.Infinite);
        return "";
    }
}

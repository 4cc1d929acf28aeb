using System.Runtime.InteropServices;

namespace Orchestrator.Inference.Native;

/// <summary>
/// A loaded model with its adapters, which the library frees with it. Freed when the last context is gone, whatever
/// the order of disposal.
/// </summary>
internal sealed class ModelHandle : SafeHandle
{
    public ModelHandle()
        : base(0, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        LlamaApi.ModelFree(handle);
        return true;
    }
}

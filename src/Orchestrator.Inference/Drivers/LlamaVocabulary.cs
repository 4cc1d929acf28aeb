using Microsoft.Extensions.Logging;
using Orchestrator.Core;
using Orchestrator.Inference.Gguf;
using Orchestrator.Inference.Native;

namespace Orchestrator.Inference.Drivers;

/// <summary>A model's tokenizer alone: it takes no memory for weights or a context.</summary>
public sealed class LlamaVocabulary : IDisposable
{
    private readonly ModelHandle _model;

    private LlamaVocabulary(ModelHandle model)
    {
        _model = model;
        Tokenizer = new LlamaTokenizer(model);
    }

    /// <summary>The tokenizer; usable until this is disposed.</summary>
    public ITokenizer Tokenizer { get; }

    /// <summary>Loads a model's tokenizer.</summary>
    /// <param name="path">A GGUF file, or the first part of a split one.</param>
    /// <param name="logger">Gets the library's messages, or null.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="OrchestratorException">The model is missing or broken; the error says what to do.</exception>
    public static LlamaVocabulary Open(string path, ILogger? logger = null, CancellationToken cancellationToken = default)
    {
        GgufValidator.ReadValid(path, cancellationToken);
        NativeRuntime.EnsureLoaded(logger);
        var parameters = LlamaApi.ModelDefaultParams();
        parameters.VocabOnly = 1;
        NativeLog.CollectErrors();
        var model = LlamaApi.ModelLoadFromFile(path, parameters);
        var errors = NativeLog.TakeErrors();
        if (!model.IsInvalid)
        {
            return new LlamaVocabulary(model);
        }

        model.Dispose();
        throw new OrchestratorException(
            ErrorKind.Model, $"llama.cpp cannot load the vocabulary of {path}: {errors}.", "Verify or pull the file again.");
    }

    /// <inheritdoc/>
    public void Dispose() => _model.Dispose();
}

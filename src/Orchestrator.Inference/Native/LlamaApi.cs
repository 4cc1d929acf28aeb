using System.Runtime.InteropServices;

namespace Orchestrator.Inference.Native;

/// <summary>
/// The functions of llama.h that are used. Nothing here checks its arguments; <see cref="Drivers.LlamaDriver"/> does,
/// because the library ends the process on some of them.
/// </summary>
internal static unsafe partial class LlamaApi
{
    private const string Library = NativeLibraries.Llama;

    [LibraryImport(Library, EntryPoint = "llama_version")]
    public static partial byte* Version();

    [LibraryImport(Library, EntryPoint = "llama_print_system_info")]
    public static partial byte* SystemInfo();

    [LibraryImport(Library, EntryPoint = "llama_log_set")]
    public static partial void LogSet(delegate* unmanaged[Cdecl]<int, byte*, void*, void> callback, void* userData);

    [LibraryImport(Library, EntryPoint = "llama_backend_init")]
    public static partial void BackendInit();

    [LibraryImport(Library, EntryPoint = "llama_max_parallel_sequences")]
    public static partial nuint MaxParallelSequences();

    [LibraryImport(Library, EntryPoint = "llama_supports_gpu_offload")]
    [return: MarshalAs(UnmanagedType.U1)]
    public static partial bool SupportsGpuOffload();

    [LibraryImport(Library, EntryPoint = "llama_model_default_params")]
    public static partial LlamaModelParams ModelDefaultParams();

    [LibraryImport(Library, EntryPoint = "llama_context_default_params")]
    public static partial LlamaContextParams ContextDefaultParams();

    [LibraryImport(Library, EntryPoint = "llama_model_load_from_file", StringMarshalling = StringMarshalling.Utf8)]
    public static partial ModelHandle ModelLoadFromFile(string path, LlamaModelParams parameters);

    [LibraryImport(Library, EntryPoint = "llama_model_free")]
    public static partial void ModelFree(nint model);

    [LibraryImport(Library, EntryPoint = "llama_init_from_model")]
    public static partial nint InitFromModel(ModelHandle model, LlamaContextParams parameters);

    [LibraryImport(Library, EntryPoint = "llama_free")]
    public static partial void Free(nint context);

    [LibraryImport(Library, EntryPoint = "llama_n_ctx")]
    public static partial uint ContextSize(ContextHandle context);

    [LibraryImport(Library, EntryPoint = "llama_n_batch")]
    public static partial uint BatchSize(ContextHandle context);

    [LibraryImport(Library, EntryPoint = "llama_n_seq_max")]
    public static partial uint MaxSequences(ContextHandle context);

    [LibraryImport(Library, EntryPoint = "llama_model_n_ctx_train")]
    public static partial int ModelTrainedContext(ModelHandle model);

    [LibraryImport(Library, EntryPoint = "llama_model_n_embd_out")]
    public static partial int ModelEmbeddingLength(ModelHandle model);

    [LibraryImport(Library, EntryPoint = "llama_model_n_layer")]
    public static partial int ModelLayers(ModelHandle model);

    [LibraryImport(Library, EntryPoint = "llama_model_n_params")]
    public static partial ulong ModelParameters(ModelHandle model);

    [LibraryImport(Library, EntryPoint = "llama_model_size")]
    public static partial ulong ModelSize(ModelHandle model);

    [LibraryImport(Library, EntryPoint = "llama_model_is_recurrent")]
    [return: MarshalAs(UnmanagedType.U1)]
    public static partial bool ModelIsRecurrent(ModelHandle model);

    [LibraryImport(Library, EntryPoint = "llama_model_is_hybrid")]
    [return: MarshalAs(UnmanagedType.U1)]
    public static partial bool ModelIsHybrid(ModelHandle model);

    [LibraryImport(Library, EntryPoint = "llama_model_n_swa")]
    public static partial int ModelSlidingWindow(ModelHandle model);

    [LibraryImport(Library, EntryPoint = "llama_model_is_diffusion")]
    [return: MarshalAs(UnmanagedType.U1)]
    public static partial bool ModelIsDiffusion(ModelHandle model);

    [LibraryImport(Library, EntryPoint = "llama_model_has_encoder")]
    [return: MarshalAs(UnmanagedType.U1)]
    public static partial bool ModelHasEncoder(ModelHandle model);

    [LibraryImport(Library, EntryPoint = "llama_model_has_decoder")]
    [return: MarshalAs(UnmanagedType.U1)]
    public static partial bool ModelHasDecoder(ModelHandle model);

    [LibraryImport(Library, EntryPoint = "llama_model_meta_val_str", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ModelMetadata(ModelHandle model, string key, byte* buffer, nuint length);

    [LibraryImport(Library, EntryPoint = "llama_model_chat_template")]
    public static partial byte* ModelChatTemplate(ModelHandle model, byte* name);

    [LibraryImport(Library, EntryPoint = "llama_adapter_lora_init", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint AdapterInit(ModelHandle model, string path);

    [LibraryImport(Library, EntryPoint = "llama_adapter_lora_free")]
    public static partial void AdapterFree(nint adapter);

    [LibraryImport(Library, EntryPoint = "llama_adapter_get_alora_n_invocation_tokens")]
    public static partial ulong AdapterInvocationCount(nint adapter);

    [LibraryImport(Library, EntryPoint = "llama_adapter_get_alora_invocation_tokens")]
    public static partial int* AdapterInvocationTokens(nint adapter);

    [LibraryImport(Library, EntryPoint = "llama_set_adapters_lora")]
    public static partial int SetAdapters(ContextHandle context, nint* adapters, nuint count, float* scales);

    [LibraryImport(Library, EntryPoint = "llama_get_memory")]
    public static partial nint GetMemory(ContextHandle context);

    [LibraryImport(Library, EntryPoint = "llama_memory_clear")]
    public static partial void MemoryClear(nint memory, [MarshalAs(UnmanagedType.U1)] bool data);

    [LibraryImport(Library, EntryPoint = "llama_memory_seq_rm")]
    [return: MarshalAs(UnmanagedType.U1)]
    public static partial bool MemoryRemove(nint memory, int sequence, int start, int end);

    [LibraryImport(Library, EntryPoint = "llama_memory_seq_cp")]
    public static partial void MemoryCopy(nint memory, int source, int destination, int start, int end);

    [LibraryImport(Library, EntryPoint = "llama_memory_seq_pos_min")]
    public static partial int MemoryFirstPosition(nint memory, int sequence);

    [LibraryImport(Library, EntryPoint = "llama_memory_seq_pos_max")]
    public static partial int MemoryLastPosition(nint memory, int sequence);

    [LibraryImport(Library, EntryPoint = "llama_memory_can_shift")]
    [return: MarshalAs(UnmanagedType.U1)]
    public static partial bool MemoryCanShift(nint memory);

    [LibraryImport(Library, EntryPoint = "llama_state_seq_get_size_ext")]
    public static partial nuint StateSize(ContextHandle context, int sequence, uint flags);

    [LibraryImport(Library, EntryPoint = "llama_state_seq_get_data_ext")]
    public static partial nuint StateGet(ContextHandle context, byte* destination, nuint size, int sequence, uint flags);

    [LibraryImport(Library, EntryPoint = "llama_state_seq_set_data_ext")]
    public static partial nuint StateSet(ContextHandle context, byte* source, nuint size, int sequence, uint flags);

    [LibraryImport(Library, EntryPoint = "llama_decode")]
    public static partial int Decode(ContextHandle context, LlamaBatch batch);

    [LibraryImport(Library, EntryPoint = "llama_set_n_threads")]
    public static partial void SetThreads(ContextHandle context, int decode, int batch);

    [LibraryImport(Library, EntryPoint = "llama_attach_threadpool")]
    public static partial void AttachThreadPool(nint context, nint decode, nint batch);

    [LibraryImport(Library, EntryPoint = "llama_detach_threadpool")]
    public static partial void DetachThreadPool(nint context);

    [LibraryImport(Library, EntryPoint = "llama_get_logits_ith")]
    public static partial float* GetLogits(ContextHandle context, int index);

    [LibraryImport(Library, EntryPoint = "llama_get_embeddings_ith")]
    public static partial float* GetEmbeddings(ContextHandle context, int index);

    [LibraryImport(Library, EntryPoint = "llama_model_get_vocab")]
    public static partial nint ModelVocabulary(ModelHandle model);

    [LibraryImport(Library, EntryPoint = "llama_vocab_n_tokens")]
    public static partial int VocabularySize(nint vocabulary);

    [LibraryImport(Library, EntryPoint = "llama_vocab_type")]
    public static partial int VocabularyType(nint vocabulary);

    [LibraryImport(Library, EntryPoint = "llama_vocab_get_attr")]
    public static partial TokenAttributes TokenAttributes(nint vocabulary, int token);

    [LibraryImport(Library, EntryPoint = "llama_vocab_is_eog")]
    [return: MarshalAs(UnmanagedType.U1)]
    public static partial bool IsEndOfGeneration(nint vocabulary, int token);

    [LibraryImport(Library, EntryPoint = "llama_vocab_bos")]
    public static partial int BeginOfSentence(nint vocabulary);

    [LibraryImport(Library, EntryPoint = "llama_vocab_eos")]
    public static partial int EndOfSentence(nint vocabulary);

    [LibraryImport(Library, EntryPoint = "llama_vocab_eot")]
    public static partial int EndOfTurn(nint vocabulary);

    [LibraryImport(Library, EntryPoint = "llama_vocab_get_add_bos")]
    [return: MarshalAs(UnmanagedType.U1)]
    public static partial bool AddsBeginOfSentence(nint vocabulary);

    [LibraryImport(Library, EntryPoint = "llama_tokenize")]
    public static partial int Tokenize(
        nint vocabulary,
        byte* text,
        int textLength,
        int* tokens,
        int capacity,
        [MarshalAs(UnmanagedType.U1)] bool addSpecial,
        [MarshalAs(UnmanagedType.U1)] bool parseSpecial);

    [LibraryImport(Library, EntryPoint = "llama_token_to_piece")]
    public static partial int TokenToPiece(
        nint vocabulary,
        int token,
        byte* buffer,
        int length,
        int leftStrip,
        [MarshalAs(UnmanagedType.U1)] bool special);
}

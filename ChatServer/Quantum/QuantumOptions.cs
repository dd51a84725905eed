using ChatServer.Configuration;

namespace ChatServer.Quantum;

/// <summary>How Quantum's REST API is called: every delay and limit of it.</summary>
/// <param name="Url">The base of the API, with a slash at its end; null if none is set.</param>
/// <param name="TryTimeout">How long one try may take.</param>
/// <param name="ServiceToken">The REST token of saves in place of their senders'; null: theirs. Never logged.</param>
/// <param name="SaveBatch">How many messages one call may save; above 1 only with <paramref name="ServiceToken"/>.</param>
internal sealed record QuantumOptions(Uri? Url, TimeSpan TryTimeout, string? ServiceToken = null, int SaveBatch = 1)
{
    /// <summary>How often one run of a question that a person waits for asks Quantum.</summary>
    public const int TriesPerQuestion = 2;

    /// <summary>Tries of questions that are under way at once, of this node; more wait for their turn.</summary>
    public const int QuestionsAtOnce = 16;

    /// <summary>Tries of one token's questions that are under way at once.</summary>
    public const int QuestionsAtOncePerToken = 4;

    /// <summary>How large a part of the questions has to fail for Quantum to be left alone.</summary>
    public const double QuestionFailureRatio = 0.9;

    /// <summary>How many questions it takes to tell that.</summary>
    public const int QuestionsThatTell = 5;

    /// <summary>The largest answer that is read, in bytes.</summary>
    public const int MaxAnswerBytes = 1024 * 1024;

    /// <summary>The most messages that one call saves.</summary>
    public const int MaxSaveBatch = 500;

    /// <summary>What one message's part of an answer may have beside the message's text, in bytes: most of it is <c>user_ids</c>.</summary>
    public const int MaxAnswerBytesPerMessage = 16 * 1024;

    /// <summary>How many times as long a text is that comes back with each character beyond ASCII escaped (é: 2 bytes, \u00e9: 6).</summary>
    public const int MaxGrowthByEscapes = 3;

    /// <summary>What a refusal says to people is cut after so many characters.</summary>
    public const int MaxRefusalCharacters = 500;

    /// <summary>After so many failed calls in a row Quantum counts as away, for the log.</summary>
    public const int FailuresThatMeanAway = 5;

    /// <summary>How long Quantum is left alone with questions that it does not answer.</summary>
    public static readonly TimeSpan QuestionRest = TimeSpan.FromSeconds(5);

    /// <summary>The pause after the failure of a question that a person waits for.</summary>
    public static readonly TimeSpan QuestionRetryDelay = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest <c>Retry-After</c> that is waited for with a question that a person waits for.</summary>
    public static readonly TimeSpan MaxQuestionDelay = TimeSpan.FromSeconds(60);

    /// <summary>What a try that carries a file may take beyond <see cref="TryTimeout"/>.</summary>
    public static readonly TimeSpan FileTime = TimeSpan.FromMinutes(1);

    /// <summary>A connection to Quantum is used no longer than that, so that a changed DNS address is noticed.</summary>
    public static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(2);

    public static QuantumOptions Read(SettingReader settings)
    {
        var serviceToken = ReadServiceToken(settings);
        return new(
            settings.HttpUrl("QUANTUM_SERVER_URL"), settings.Seconds("QUANTUM_TIMEOUT", 10, 1, 300), serviceToken,
            ReadSaveBatch(settings, serviceToken));
    }

    /// <summary>The largest answer to a call with many messages that is read, in bytes: it repeats the texts that were sent.</summary>
    public static long MaxBatchAnswerBytes(int messages, long sentBytes) =>
        MaxAnswerBytes + ((long)messages * MaxAnswerBytesPerMessage) + (sentBytes * MaxGrowthByEscapes);

    /// <summary>For logs: without the token.</summary>
    public override string ToString() => $"{Url}, {TryTimeout} a try";

    private static string? ReadServiceToken(SettingReader settings)
    {
        const string name = "QUANTUM_SERVICE_TOKEN";
        var token = settings.Text(name);
        if (token is not null && token.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            settings.Mistake(name, "the value holds characters that cannot stand in an HTTP header, such as spaces.");
        }

        return token;
    }

    private static int ReadSaveBatch(SettingReader settings, string? serviceToken)
    {
        const string name = "SAVE_BATCH";
        var batch = settings.Int(name, 1, 1, MaxSaveBatch);
        if (batch > 1 && serviceToken is null)
        {
            settings.Mistake(name,
                $"{batch} messages in one call have several senders, so the call needs a token that may save for all: "
                + "set QUANTUM_SERVICE_TOKEN, or SAVE_BATCH to 1.");
        }

        return batch;
    }
}

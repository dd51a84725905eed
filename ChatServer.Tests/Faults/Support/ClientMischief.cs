using System.Globalization;
using StackExchange.Redis;

namespace ChatServer.Tests.Faults.Support;

/// <summary>What clients and their users may do, and what Quantum may have to say of them.</summary>
internal static class ClientMischief
{
    private const int BurstMessages = 20;

    private static readonly RedisChannel Control = RedisChannel.Literal("chat:control");

    /// <summary>How long one who does not read keeps that up: longer than it may.</summary>
    private static readonly TimeSpan DeafFor = TimeSpan.FromSeconds(5);

    /// <summary>How long the nodes have to carry out an order, all of them being well.</summary>
    private static readonly TimeSpan OrderWithin = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan BackWithin = TimeSpan.FromSeconds(20);

    /// <summary>
    /// All members of a room send large messages at once, as many as the rate limit would let them, and one of them does not read: more than
    /// the kernel holds for it.
    /// </summary>
    public static async Task BurstAsync(FaultSite site, int deafClient)
    {
        var deaf = site.Clients[deafClient];
        var pausing = deaf.PauseAsync(DeafFor);
        foreach (var client in site.Clients.Where(client => client != deaf && client.Who.Company == deaf.Who.Company))
        {
            client.Burst(client.Who.Rooms[0], BurstMessages, areLarge: true);
        }

        await pausing;
    }

    /// <summary>A member is put out of a room in the midst of its traffic, asks in vain, and is let in again.</summary>
    public static async Task RemoveAsync(FaultSite site, int client, TimeSpan time)
    {
        var (who, room) = (site.Clients[client].Who, site.Clients[client].Who.Rooms[0]);
        await site.CalmAsync();
        var members = site.Quantum.Members;
        site.Quantum.Members = of => of == room ? [.. members(of)!.Where(user => user != who.User)] : members(of);
        await ChangedAsync();
        await Task.Delay(OrderWithin);
        var from = TimeProvider.System.GetUtcNow();
        await Task.Delay(time);
        site.Outsiders.Add(new(who.User, room, from, TimeProvider.System.GetUtcNow()));
        site.Quantum.Members = members;

        // Who was refused is not asked for again for a minute, unless this is heard.
        for (var began = TimeProvider.System.GetTimestamp();
            !site.Clients[client].IsIn(room) && TimeProvider.System.GetElapsedTime(began) < BackWithin;)
        {
            await ChangedAsync();
            await Task.Delay(1000);
        }

        Task ChangedAsync() => site.Database.PublishAsync(Control, string.Create(
            CultureInfo.InvariantCulture, $"{{\"type\":\"members_changed\",\"company_id\":{who.Company},\"room_id\":{room}}}"));
    }

    /// <summary>A user writes while Quantum is away, and logs out, which ends the REST token too; then logs in again.</summary>
    public static async Task LogOutAsync(FaultSite site, int client, TimeSpan time)
    {
        var leaver = site.Clients[client];
        await Fault.With(time, site.QuantumProxy, () =>
        {
            site.QuantumProxy.Stall();
            leaver.Burst(leaver.Who.Rooms[0], BurstMessages, areLarge: false);
        });
        leaver.LogOut();
        await site.Sessions.EndAsync(leaver.Who);
        await Task.Delay(time);
        await leaver.LogInAsync(await site.Sessions.BeginAsync(leaver.Who));
    }
}

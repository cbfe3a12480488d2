%% SPDX-License-Identifier: MIT
%%
%% The sleep-based workloads in Erlang: a task is a monitored process, a sleep is a receive that
%% nothing comes to before its time is over. Erlang counts whole milliseconds; durations are rounded
%% up, as a sleep lasts at least that long, and drawn before the clocks start.
-module(workloads).

-export([main/0, await/1]).

-define(HOUR_MS, 3600000).

main() ->
    try
        Options = options(init:get_plain_arguments()),
        measure(maps:get(workload, Options), Options)
    of
        _ -> halt(0)
    catch
        throw:usage ->
            io:put_chars(standard_error,
                         "usage: erlang sleep --tasks N --seconds D |\n"
                         "       storm --tasks N --rounds R --seed S | stagger --tasks N --seed S |\n"
                         "       timeouts --tasks N | cancel --tasks N |\n"
                         "       primitives --runs N | echo --port P\n"),
            halt(2);
        Class:Reason:Stack ->
            io:put_chars(standard_error, erl_error:format_exception(Class, Reason, Stack)),
            halt(1)
    end.

options([Workload | Rest]) ->
    options(Rest, #{workload => Workload, tasks => 1000, seconds => 1, rounds => 10, seed => 1, runs => 9,
                    port => 0});
options([]) ->
    throw(usage).

options([], #{tasks := Tasks, rounds := Rounds, runs := Runs} = Options) ->
    lists:all(fun(Count) -> is_integer(Count) andalso Count > 0 end, [Tasks, Rounds, Runs])
        orelse throw(usage),
    Options;
options(["--" ++ Name, Text | Rest], Options) ->
    Key = try list_to_existing_atom(Name) catch error:badarg -> throw(usage) end,
    is_map_key(Key, Options) orelse throw(usage),
    options(Rest, Options#{Key := number(Text)});
options(_, _) ->
    throw(usage).

number(Text) ->
    case {string:to_integer(Text), string:to_float(Text)} of
        {{Integer, ""}, _} when Integer >= 0 -> Integer;
        {_, {Float, ""}} when Float >= 0 -> Float;
        _ -> throw(usage)
    end.

measure("sleep", Options) -> measure_sleep(Options);
measure("storm", Options) -> measure_storm(Options);
measure("stagger", Options) -> measure_stagger(Options);
measure("timeouts", Options) -> measure_timeouts(Options);
measure("cancel", Options) -> measure_cancel(Options);
measure("primitives", Options) -> primitives:measure(Options);
measure("echo", Options) -> echo:serve(Options);
measure(_, _) -> throw(usage).

sleep(Ms) ->
    receive after Ms -> ok end.

await({Pid, Monitor}) ->
    receive {'DOWN', Monitor, process, Pid, Reason} -> Reason end.

measure_sleep(#{tasks := N, seconds := Seconds} = Options) ->
    Ms = round(Seconds * 1000),

    Memory = measure:memory_begin(),
    Start = measure:now_ns(),
    Cpu = measure:cpu_ns(),

    Tasks = [spawn_monitor(fun() -> sleep(Ms) end) || _ <- lists:seq(1, N)],
    sleep(Ms div 2),
    Halfway = measure:memory_sample(Memory),
    [normal = await(Task) || Task <- Tasks],

    Wall = (measure:now_ns() - Start) / 1.0e9,
    measure:report(Options, N, wall_beyond, Wall - Seconds, s),
    measure:report(Options, N, cpu_per_task, (measure:cpu_ns() - Cpu - maps:get(cpu_ns, Halfway)) / N, ns),
    measure:memory_report(Options, Halfway).

%% How much longer than asked for the sleeps were.
sleep_repeatedly([]) ->
    [];
sleep_repeatedly([Ns | Rest]) ->
    Due = measure:now_ns() + Ns,
    sleep((Ns + 999999) div 1000000),
    [measure:now_ns() - Due | sleep_repeatedly(Rest)].

start_sleeper(Durations) ->
    spawn_monitor(fun() -> exit({late, sleep_repeatedly(Durations)}) end).

collect(Tasks) ->
    [begin {late, Late} = await(Task), Late end || Task <- Tasks].

measure_storm(#{tasks := N, rounds := Rounds, seed := Seed} = Options) ->
    All = [measure:durations(Seed + I, Rounds, 10) || I <- lists:seq(0, N - 1)],

    Cpu = measure:cpu_ns(),
    Late = collect([start_sleeper(Durations) || Durations <- All]),
    Seconds = (measure:cpu_ns() - Cpu) / 1.0e9,

    measure:report(Options, N, fires_per_cpu_s, N * Rounds / Seconds, '1/s'),
    measure:report_lateness(Options, lists:append(Late)).

measure_stagger(#{tasks := N, seed := Seed} = Options) ->
    All = [measure:durations(Seed + I, 1, 100) || I <- lists:seq(0, N - 1)],

    Cpu = measure:cpu_ns(),
    Start = measure:now_ns(),
    Tasks = [begin
                 Wait = Start + I * 1000000 - measure:now_ns(),
                 sleep(max(0, (Wait + 999999) div 1000000)),
                 start_sleeper(Durations)
             end || {I, Durations} <- lists:enumerate(0, All)],
    Late = collect(Tasks),

    measure:report(Options, N, cpu_per_task, (measure:cpu_ns() - Cpu) / N, ns),
    measure:report_lateness(Options, lists:append(Late)).

wait_with_timeout(Ms) ->
    receive done -> exit(in_time) after Ms -> exit(timed_out) end.

measure_waits(N, Ms, Complete) ->
    Cpu = measure:cpu_ns(),
    Tasks = [spawn_monitor(fun() -> wait_with_timeout(Ms) end) || _ <- lists:seq(1, N)],
    Complete andalso [Pid ! done || {Pid, _} <- Tasks],
    Expected = case Complete of true -> in_time; false -> timed_out end,
    [Expected = await(Task) || Task <- Tasks],
    (measure:cpu_ns() - Cpu) / N.

measure_timeouts(#{tasks := N} = Options) ->
    measure:report(Options, N, never_ns, measure_waits(N, 60000, true), ns),
    measure:report(Options, N, always_ns, measure_waits(N, 10, false), ns).

measure_cancel(#{tasks := N} = Options) ->
    Tasks = [spawn_monitor(fun() -> sleep(?HOUR_MS) end) || _ <- lists:seq(1, N)],
    sleep(10), % all have started

    Cpu = measure:cpu_ns(),
    [exit(Pid, cancelled) || {Pid, _} <- Tasks],
    [cancelled = await(Task) || Task <- Tasks],
    measure:report(Options, N, cancel_ns, (measure:cpu_ns() - Cpu) / N, ns).

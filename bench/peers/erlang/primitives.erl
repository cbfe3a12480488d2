%% SPDX-License-Identifier: MIT
%%
%% What Erlang's primitives cost: to set is to send, to wake is to receive; a gather is as many
%% monitors. Locks and queues with a limit are processes there, and not measured.
-module(primitives).

-export([measure/1]).

-define(REPEATS, 100000).
-define(HOUR_MS, 3600000).

measure(Options) ->
    measure:report_primitive(Options, yield_ns, 2, fun measure_yield/1),
    measure:report_primitive(Options, yield_ns, 1000, fun measure_yield/1),
    measure:report_primitive(Options, create_await_ns, 1, fun measure_create_await/1),
    measure:report_primitive(Options, set_wake_ns, 1, fun measure_set_wake/1),
    measure:report_primitive(Options, gather_ns, 1000, fun measure_gather/1),
    measure:report_primitive(Options, sleep_cancel_ns, 1000, fun measure_sleep_cancel/1).

repeat(0, _) ->
    ok;
repeat(N, Fun) ->
    Fun(),
    repeat(N - 1, Fun).

measure_yield(N) ->
    Rounds = 2 * ?REPEATS div N,
    Start = measure:now_ns(),
    Tasks = [spawn_monitor(fun() -> repeat(Rounds, fun erlang:yield/0) end) || _ <- lists:seq(1, N)],
    [normal = workloads:await(Task) || Task <- Tasks],
    (measure:now_ns() - Start) / (N * Rounds).

measure_create_await(_) ->
    Start = measure:now_ns(),
    repeat(?REPEATS, fun() -> normal = workloads:await(spawn_monitor(fun() -> 1 end)) end),
    (measure:now_ns() - Start) / ?REPEATS.

%% Two processes wake each other: half of there and back.
measure_set_wake(_) ->
    Self = self(),
    Start = measure:now_ns(),
    Echo = spawn_monitor(fun() -> repeat(?REPEATS, fun() -> receive ping -> Self ! pong end end) end),
    {Pid, _} = Echo,
    repeat(?REPEATS, fun() -> Pid ! ping, receive pong -> ok end end),
    Ns = measure:now_ns() - Start,
    normal = workloads:await(Echo),
    Ns / (2 * ?REPEATS).

measure_gather(N) ->
    Start = measure:now_ns(),
    Tasks = [spawn_monitor(fun() -> 1 end) || _ <- lists:seq(1, N)],
    [normal = workloads:await(Task) || Task <- Tasks],
    (measure:now_ns() - Start) / N.

measure_sleep_cancel(N) ->
    Start = measure:now_ns(),
    Tasks = [spawn_monitor(fun() -> receive after ?HOUR_MS -> ok end end) || _ <- lists:seq(1, N)],
    [exit(Pid, cancelled) || {Pid, _} <- Tasks],
    [cancelled = workloads:await(Task) || Task <- Tasks],
    (measure:now_ns() - Start) / N.

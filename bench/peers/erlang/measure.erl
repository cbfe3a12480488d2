%% SPDX-License-Identifier: MIT
%%
%% What the workloads share: clocks, memory, random durations, lateness, and the lines of JSON.
-module(measure).

-export([report/5, report_lateness/2, report_primitive/4, now_ns/0, cpu_ns/0,
         memory_begin/0, memory_sample/1, memory_report/2, durations/3]).

report(#{workload := Workload}, N, Metric, Value, Unit) ->
    io:format("{\"workload\":\"~s\",\"peer\":\"erlang\",\"form\":\"\",\"n\":~b,\"metric\":\"~s\","
              "\"value\":~w,\"unit\":\"~s\"}~n", [Workload, N, Metric, Value, Unit]).

report_lateness(#{tasks := N} = Options, LateNs) ->
    Late = lists:sort(LateNs),
    Count = length(Late),
    report(Options, N, lateness_p50_us, lists:nth(Count div 2 + 1, Late) / 1000, us),
    report(Options, N, lateness_p99_us, lists:nth(Count * 99 div 100 + 1, Late) / 1000, us),
    report(Options, N, lateness_max_us, lists:last(Late) / 1000, us),
    report(Options, N, early, length(lists:takewhile(fun(Ns) -> Ns < 0 end, Late)), fires).

%% The median of what Measure(N) returns, nanoseconds each, after as many to get warm.
report_primitive(#{runs := Runs} = Options, Metric, N, Measure) ->
    [Measure(N) || _ <- lists:seq(1, Runs)],
    Results = lists:sort([Measure(N) || _ <- lists:seq(1, Runs)]),
    report(Options, N, Metric, lists:nth(Runs div 2 + 1, Results), ns).

now_ns() ->
    erlang:monotonic_time(nanosecond).

%% User and system time of all threads. The emulator itself counts milliseconds only.
cpu_ns() ->
    {ok, Threads} = file:list_dir("/proc/self/task"),
    lists:sum([thread_cpu_ns(Thread) || Thread <- Threads]).

thread_cpu_ns(Thread) ->
    {ok, Statistics} = file:read_file(["/proc/self/task/", Thread, "/schedstat"]),
    [Ns | _] = binary:split(Statistics, <<" ">>),
    binary_to_integer(Ns).

%% A line of /proc/self/status in bytes.
status_bytes(Field) ->
    {ok, Status} = file:read_file("/proc/self/status"),
    {match, [Kib]} = re:run(Status, ["^", Field, ":\\s*(\\d+) kB$"],
                            [multiline, {capture, all_but_first, binary}]),
    binary_to_integer(Kib) * 1024.

%% What there was before the first task; page tables have no peak to read, and are sampled.
memory_begin() ->
    PageTable = status_bytes("VmPTE"),
    #{before => status_bytes("VmRSS") + PageTable, pagetable_peak => PageTable, cpu_ns => 0}.

%% What looking itself takes while tasks are there is counted, too.
memory_sample(#{pagetable_peak := Peak, cpu_ns := Sum} = Memory) ->
    Cpu = cpu_ns(),
    PageTable = status_bytes("VmPTE"),
    Memory#{pagetable_peak := max(Peak, PageTable), cpu_ns := Sum + cpu_ns() - Cpu}.

memory_report(#{tasks := N} = Options, Memory) ->
    #{before := Before, pagetable_peak := PageTable} = memory_sample(Memory),
    Peak = status_bytes("VmHWM") + PageTable,
    report(Options, N, memory_per_task, (Peak - Before) / N, bytes),
    report(Options, N, memory_per_task_total, Peak / N, bytes).

%% Count random nanoseconds, uniform from 1 ms to MaxMs, by splitmix64 as in all peers.
durations(_, 0, _) ->
    [];
durations(Seed, Count, MaxMs) ->
    State = (Seed + 16#9e3779b97f4a7c15) band 16#ffffffffffffffff,
    Z1 = ((State bxor (State bsr 30)) * 16#bf58476d1ce4e5b9) band 16#ffffffffffffffff,
    Z2 = ((Z1 bxor (Z1 bsr 27)) * 16#94d049bb133111eb) band 16#ffffffffffffffff,
    Z3 = Z2 bxor (Z2 bsr 31),
    [1000000 + Z3 rem ((MaxMs - 1) * 1000000 + 1) | durations(State, Count - 1, MaxMs)].

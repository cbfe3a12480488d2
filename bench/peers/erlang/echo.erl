%% SPDX-License-Identifier: MIT
%%
%% A TCP echo server, a process for each connection. What SIGTERM means is decided by an event
%% handler, of which this module is one, too.
-module(echo).

-behaviour(gen_event).

-export([serve/1, init/1, handle_event/2, handle_call/2]).

serve(#{port := Port} = Options) ->
    ok = gen_event:swap_handler(erl_signal_server, {erl_signal_handler, []}, {?MODULE, self()}),
    {ok, Listener} = gen_tcp:listen(Port, [binary, {ip, loopback}, {active, false}, {nodelay, true},
                                           {reuseaddr, true}, {backlog, 4096}, {buffer, 65536}]),
    {ok, Actual} = inet:port(Listener),
    Cpu = measure:cpu_ns(),
    io:format("port ~b~n", [Actual]),

    Acceptor = spawn_monitor(fun() -> exit({accepted, accept(Listener, 0)}) end),
    receive sigterm -> ok end,
    gen_tcp:close(Listener),
    {accepted, Connections} = workloads:await(Acceptor),
    measure:report(Options, Connections, cpu_s, (measure:cpu_ns() - Cpu) / 1.0e9, s).

accept(Listener, Count) ->
    case gen_tcp:accept(Listener) of
        {ok, Socket} ->
            Pid = spawn(fun() -> receive yours -> echo(Socket) end end),
            ok = gen_tcp:controlling_process(Socket, Pid),
            Pid ! yours,
            accept(Listener, Count + 1);
        {error, closed} ->
            Count
    end.

echo(Socket) ->
    case gen_tcp:recv(Socket, 0) of
        {ok, Data} ->
            case gen_tcp:send(Socket, Data) of
                ok -> echo(Socket);
                {error, _} -> gen_tcp:close(Socket)
            end;
        {error, _} ->
            gen_tcp:close(Socket)
    end.

init({Server, _}) ->
    {ok, Server}.

handle_event(sigterm, Server) ->
    Server ! sigterm,
    {ok, Server};
handle_event(_, Server) ->
    {ok, Server}.

handle_call(_, Server) ->
    {ok, ok, Server}.

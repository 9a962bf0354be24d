-- How work gets noted: in the transaction that causes it, done by functions/_worker/tasks/<noun>__<verb>.ts after commit.

create function private.enqueue(
  p_task text, p_payload jsonb, p_key text default null, p_run_at timestamptz default null
) returns void
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_traceparent text := private.current_traceparent();
begin
  perform graphile_worker.add_job(
    p_task,
    (p_payload || case when v_traceparent is null then '{}'::jsonb
      else jsonb_build_object('_otel', jsonb_build_object('traceparent', v_traceparent)) end)::json,
    run_at => p_run_at,
    job_key => p_key
  );
end;
$$;
comment on function private.enqueue(text, jsonb, text, timestamptz) is
  'Adds a job: task, payload of ids, optional key (a waiting job of the same key is replaced) and time. Definer: the queue is its owner''s. '
  'For rare work only: its NOTIFY serializes commits (0.16 of a bare insert when done per event).';

create function private.tg_touch() returns trigger
language plpgsql volatile set search_path = ''
as $$
begin
  new.updated_at := clock_timestamp();
  return new;
end;
$$;
comment on function private.tg_touch() is 'Sets updated_at.';

-- Nobody has anything until a file here gives it: Supabase's default privileges granted all, Postgres gives execute to public.
-- What this file cannot reach, things made later, each revokes for itself; a test on both kinds of database compares every grant.
revoke all on all tables in schema public, private
  from public, anon, authenticated, service_role;
revoke all on all sequences in schema public, private
  from public, anon, authenticated, service_role;
revoke all on all functions in schema public, private
  from public, anon, authenticated, service_role;

grant usage on schema public to anon, authenticated, gatehouse_platform;
-- service_role only reaches the hook, to be refused by it: there is no service-role key.
grant usage on schema private to
  anon, authenticated, service_role, gatehouse_platform,
  authenticator, gatehouse_functions, gatehouse_provision, gatehouse_worker, gatehouse_gateway;

-- Column defaults and policies run as the caller.
grant execute on function
  private.uuid_v7(), private.platform_tenant(), private.current_principal_id(),
  private.current_user_id(), private.current_tenant_id()
  to authenticated, gatehouse_platform;

-- The queue: its tables are under row level security by its own migrations, readable by their owner only. The worker is not the owner.
revoke all on all tables in schema graphile_worker from public, anon, authenticated, service_role;
revoke all on all functions in schema graphile_worker
  from public, anon, authenticated, service_role;
revoke all on schema graphile_worker from public, anon, authenticated, service_role;
grant usage on schema graphile_worker to gatehouse_worker;
grant execute on all functions in schema graphile_worker to gatehouse_worker;
grant select on graphile_worker.migrations to gatehouse_worker;
grant select, insert (identifier) on graphile_worker._private_tasks to gatehouse_worker;
grant select, insert (queue_name), update (locked_at, locked_by)
  on graphile_worker._private_job_queues to gatehouse_worker;
grant select, insert, update, delete on graphile_worker._private_jobs to gatehouse_worker;
grant select, insert, update on graphile_worker._private_known_crontabs to gatehouse_worker;

create policy tasks_all_worker on graphile_worker._private_tasks
  for all to gatehouse_worker using (true) with check (true);
create policy job_queues_all_worker on graphile_worker._private_job_queues
  for all to gatehouse_worker using (true) with check (true);
create policy jobs_all_worker on graphile_worker._private_jobs
  for all to gatehouse_worker using (true) with check (true);
create policy known_crontabs_all_worker on graphile_worker._private_known_crontabs
  for all to gatehouse_worker using (true) with check (true);

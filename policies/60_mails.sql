-- private.mails: nobody's to read. The functions queue, and cannot look at what they queued; the worker claims and settles.
grant execute on function
  private.queue_mail(uuid, text, text, text, text, timestamptz, text, bytea)
  to gatehouse_functions, gatehouse_provision;
grant execute on function
  private.claim_mail(uuid, uuid, integer),
  private.settle_mail(uuid, uuid, integer, text, jsonb, integer),
  private.retain_mails(integer)
  to gatehouse_worker;

-- Links for people: users.write, asked by the function itself.
grant execute on function private.begin_user_link(uuid, text, text)
  to authenticated, gatehouse_platform;

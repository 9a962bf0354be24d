-- private.mails: nobody's to read. The public functions queue, and cannot look at what they queued; the worker claims and settles.
grant execute on function
  private.queue_mail(uuid, text, text, text, text, timestamptz, text, bytea)
  to gatehouse_functions;
grant execute on function
  private.claim_mail(uuid, uuid, integer),
  private.settle_mail(uuid, uuid, integer, text, jsonb, integer),
  private.retain_mails(integer)
  to gatehouse_worker;

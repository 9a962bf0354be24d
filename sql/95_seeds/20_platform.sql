-- The one reserved tenant. Its steps and its first job (instance__reconcile) come with it.
insert into public.tenants (id, slug, name, kind, plan)
values (private.platform_tenant(), 'platform', 'Platform', 'platform', 'platform');

-- What else a configuration may say: flows, texts, languages. Each check says what is not allowed, or null.

create function private.widget_languages() returns text[]
language sql immutable parallel safe set search_path = ''
as $$ select '{en,ru,de,fr,es,da,ar}'::text[] $$;
comment on function private.widget_languages() is 'The languages that the widget has texts in: widget/src/texts.';

create function private.widget_text_keys() returns text[]
language sql immutable parallel safe set search_path = ''
as $$
  select string_to_array(
    'title signIn signInTo signInToOf loginName password showPassword working next back or '
    'missing language usePasskey useEmailCode useProvider forgot newHere register openPage '
    'chooseAccount otherAccount forget fresh passkeyTitle passkeyLead keyTitle keyLead '
    'passkey_cancelled passkey_unsupported passkey_taken passkey_failed factorTitle code '
    'confirm otherWays totpLead recoveryLead totp passkey security_key email_code '
    'recovery_code emailTitle emailLead resend resendIn resent verifyTitle newPasswordTitle '
    'requiredLead expiredLead newPassword ruleLength ruleUpper ruleLower ruleNumber '
    'ruleSymbol weak savePassword setupTitle setupLead totpHint keyHint skip totpSetupTitle '
    'totpSetupLead qr secret copy copied openApp passkeySetupTitle passkeySetupLead '
    'keySetupTitle keyName codesTitle codesLead download print codesSaved givenName '
    'familyName email emailBad acceptTerms terms privacy withPasskey resetTitle resetLead '
    'sendCode resetCodeLead welcome invited ldapLead completeTitle completeLead done '
    'doneReset doneVerified doneInvited signedOut mayClose stopped startAgain '
    'x_credentials_refused x_code_refused x_credential_refused x_password_unchanged '
    'x_external_account_unknown x_account_exists x_way_not_allowed x_rate_limited '
    'x_flow_finished x_flow_not_found x_browser_mismatch x_app_disabled x_tenant_suspended '
    'x_inline_refused x_offline x_other', ' ')
$$;
comment on function private.widget_text_keys() is 'The texts that a tenant may replace: the keys of widget/src/texts/en.ts.';

create function private.widget_flows_problem(p_flows jsonb) returns text
language plpgsql immutable set search_path = ''
as $$
declare
  v_key text;
  v_value jsonb;
begin
  if jsonb_typeof(p_flows) is distinct from 'object' then
    return 'flows are an object';
  end if;
  for v_key, v_value in select * from jsonb_each(p_flows) loop
    if v_key not in ('password', 'passkey', 'email_code', 'register', 'reset') then
      return format('"%s" is no flow; allowed are password, passkey, email_code, register, reset',
        left(v_key, 50));
    elsif jsonb_typeof(v_value) <> 'boolean' then
      return format('"%s" is true or false', v_key);
    end if;
  end loop;
  return null;
end;
$$;
comment on function private.widget_flows_problem(jsonb) is 'What of a configuration''s flows is not allowed; null when nothing.';

create function private.widget_texts_problem(p_texts jsonb) returns text
language plpgsql immutable set search_path = ''
as $$
declare
  v_language text;
  v_texts jsonb;
  v_key text;
  v_text jsonb;
begin
  if jsonb_typeof(p_texts) is distinct from 'object' then
    return 'texts are an object by language';
  elsif octet_length(p_texts::text) > 60000 then
    return 'all texts together have at most 60000 bytes';
  end if;
  for v_language, v_texts in select * from jsonb_each(p_texts) loop
    if v_language <> all (private.widget_languages()) then
      return format('"%s" is no language of the widget; they are %s', left(v_language, 50),
        array_to_string(private.widget_languages(), ', '));
    elsif jsonb_typeof(v_texts) <> 'object' then
      return format('"%s" is an object of texts', v_language);
    end if;
    for v_key, v_text in select * from jsonb_each(v_texts) loop
      if v_key <> all (private.widget_text_keys()) then
        return format('"%s" is no text that may be changed; allowed are %s', left(v_key, 50),
          array_to_string(private.widget_text_keys(), ', '));
      elsif jsonb_typeof(v_text) <> 'string' or length(v_text #>> '{}') not between 1 and 300
        or v_text #>> '{}' ~ '[[:cntrl:]\u202a-\u202e\u2066-\u2069]' or btrim(v_text #>> '{}') = ''
      then
        return format('%s "%s": a text has 1 to 300 characters, none of control',
          v_language, v_key);
      end if;
    end loop;
  end loop;
  return null;
end;
$$;
comment on function private.widget_texts_problem(jsonb) is
  'What of a configuration''s texts is not allowed; null when nothing. They are plain text: the widget writes them as such. Characters that turn the direction of writing could make one sentence look like another.';

create function private.widget_languages_problem(p_languages text[]) returns text
language sql immutable set search_path = ''
as $$
  select case
    when coalesce(cardinality(p_languages), 0) = 0 or array_ndims(p_languages) > 1
      then 'at least one is offered'
    when array_position(p_languages, null) is not null
      or not p_languages <@ private.widget_languages()
      then format('allowed are %s', array_to_string(private.widget_languages(), ', '))
    when (select count(distinct l) from unnest(p_languages) l) < cardinality(p_languages)
      then 'one is named twice'
  end
$$;
comment on function private.widget_languages_problem(text[]) is 'What of the languages offered is not allowed; null when nothing.';

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Database = {
  "public": {
    Tables: {
      "apps": {
        Row: {
          "application_id": string | null;
          "client_id": string | null;
          "created_at": string;
          "enabled": boolean;
          "id": string;
          "inline_enabled": boolean;
          "kind": string;
          "last_error": Json | null;
          "name": string;
          "post_logout_uris": (string)[];
          "redirect_uris": (string)[];
          "state": string;
          "tenant_id": string;
          "updated_at": string;
        };
        ComputedFields: never;
        Insert: {
          "application_id"?: string | null;
          "client_id"?: string | null;
          "created_at"?: string;
          "enabled"?: boolean;
          "id"?: string;
          "inline_enabled"?: boolean;
          "kind"?: string;
          "last_error"?: Json | null;
          "name": string;
          "post_logout_uris"?: (string)[];
          "redirect_uris"?: (string)[];
          "state"?: string;
          "tenant_id": string;
          "updated_at"?: string;
        };
        Update: {
          "application_id"?: string | null;
          "client_id"?: string | null;
          "created_at"?: string;
          "enabled"?: boolean;
          "id"?: string;
          "inline_enabled"?: boolean;
          "kind"?: string;
          "last_error"?: Json | null;
          "name"?: string;
          "post_logout_uris"?: (string)[];
          "redirect_uris"?: (string)[];
          "state"?: string;
          "tenant_id"?: string;
          "updated_at"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "apps_tenant_id_fkey";
            columns: ["tenant_id"];
            isOneToOne: false;
            referencedRelation: "tenants";
            referencedColumns: ["id"];
          },
        ];
      };
      "assignments": {
        Row: {
          "created_at": string;
          "id": string;
          "principal_id": string;
          "role_key": string;
          "service_account_id": string | null;
          "tenant_id": string;
          "user_id": string | null;
        };
        ComputedFields: never;
        Insert: {
          "created_at"?: string;
          "id"?: string;
          "principal_id"?: never;
          "role_key": string;
          "service_account_id"?: string | null;
          "tenant_id": string;
          "user_id"?: string | null;
        };
        Update: {
          "created_at"?: string;
          "id"?: string;
          "principal_id"?: never;
          "role_key"?: string;
          "service_account_id"?: string | null;
          "tenant_id"?: string;
          "user_id"?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "assignments_role_key_fkey";
            columns: ["role_key"];
            isOneToOne: false;
            referencedRelation: "roles";
            referencedColumns: ["key"];
          },
          {
            foreignKeyName: "assignments_tenant_id_fkey";
            columns: ["tenant_id"];
            isOneToOne: false;
            referencedRelation: "tenants";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "assignments_tenant_id_service_account_id_fkey";
            columns: ["tenant_id", "service_account_id"];
            isOneToOne: false;
            referencedRelation: "service_accounts";
            referencedColumns: ["tenant_id", "id"];
          },
          {
            foreignKeyName: "assignments_user_id_fkey";
            columns: ["user_id"];
            isOneToOne: false;
            referencedRelation: "users";
            referencedColumns: ["id"];
          },
        ];
      };
      "audit_events": {
        Row: {
          "actor": NonNullable<Json>;
          "context": NonNullable<Json>;
          "data": NonNullable<Json>;
          "id": string;
          "occurred_at": string;
          "personal": Json | null;
          "recorded_at": string;
          "targets": NonNullable<Json>;
          "tenant_id": string;
          "type": string;
          "version": number;
          "xid": unknown;
          "personal_values": Json | null;
        };
        ComputedFields: "personal_values";
        Insert: {
          "actor": NonNullable<Json>;
          "context": NonNullable<Json>;
          "data": NonNullable<Json>;
          "id"?: string;
          "occurred_at": string;
          "personal"?: Json | null;
          "recorded_at"?: string;
          "targets": NonNullable<Json>;
          "tenant_id": string;
          "type": string;
          "version"?: number;
          "xid"?: unknown;
        };
        Update: {
          "actor"?: NonNullable<Json>;
          "context"?: NonNullable<Json>;
          "data"?: NonNullable<Json>;
          "id"?: string;
          "occurred_at"?: string;
          "personal"?: Json | null;
          "recorded_at"?: string;
          "targets"?: NonNullable<Json>;
          "tenant_id"?: string;
          "type"?: string;
          "version"?: number;
          "xid"?: unknown;
        };
        Relationships: [];
      };
      "audit_exports": {
        Row: {
          "actor_id": string | null;
          "complete": boolean | null;
          "created_at": string;
          "expires_at": string | null;
          "failures": number;
          "finished_at": string | null;
          "format": string;
          "id": string;
          "last_error": Json | null;
          "records_done": number;
          "records_total": number | null;
          "requested_by": NonNullable<Json>;
          "sha256": string | null;
          "since_at": string | null;
          "size_bytes": number | null;
          "started_at": string | null;
          "state": string;
          "target_id": string | null;
          "tenant_id": string;
          "types": (string)[] | null;
          "until_at": string | null;
          "updated_at": string;
        };
        ComputedFields: never;
        Insert: {
          "actor_id"?: string | null;
          "complete"?: boolean | null;
          "created_at"?: string;
          "expires_at"?: string | null;
          "failures"?: number;
          "finished_at"?: string | null;
          "format": string;
          "id"?: string;
          "last_error"?: Json | null;
          "records_done"?: number;
          "records_total"?: number | null;
          "requested_by": NonNullable<Json>;
          "sha256"?: string | null;
          "since_at"?: string | null;
          "size_bytes"?: number | null;
          "started_at"?: string | null;
          "state"?: string;
          "target_id"?: string | null;
          "tenant_id": string;
          "types"?: (string)[] | null;
          "until_at"?: string | null;
          "updated_at"?: string;
        };
        Update: {
          "actor_id"?: string | null;
          "complete"?: boolean | null;
          "created_at"?: string;
          "expires_at"?: string | null;
          "failures"?: number;
          "finished_at"?: string | null;
          "format"?: string;
          "id"?: string;
          "last_error"?: Json | null;
          "records_done"?: number;
          "records_total"?: number | null;
          "requested_by"?: NonNullable<Json>;
          "sha256"?: string | null;
          "since_at"?: string | null;
          "size_bytes"?: number | null;
          "started_at"?: string | null;
          "state"?: string;
          "target_id"?: string | null;
          "tenant_id"?: string;
          "types"?: (string)[] | null;
          "until_at"?: string | null;
          "updated_at"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "audit_exports_tenant_id_fkey";
            columns: ["tenant_id"];
            isOneToOne: false;
            referencedRelation: "tenants";
            referencedColumns: ["id"];
          },
        ];
      };
      "audit_sinks": {
        Row: {
          "checkpoint_at": string;
          "created_at": string;
          "cursor_at": string | null;
          "cursor_seq": number;
          "delivered_at": string | null;
          "dropped_until": string | null;
          "enabled": boolean;
          "failures": number;
          "id": string;
          "kind": string;
          "last_error": Json | null;
          "name": string;
          "next_attempt_at": string;
          "settings": NonNullable<Json>;
          "state": string;
          "tenant_id": string;
          "updated_at": string;
          "sink_lag": Json | null;
        };
        ComputedFields: "sink_lag";
        Insert: {
          "checkpoint_at"?: string;
          "created_at"?: string;
          "cursor_at"?: string | null;
          "cursor_seq"?: number;
          "delivered_at"?: string | null;
          "dropped_until"?: string | null;
          "enabled"?: boolean;
          "failures"?: number;
          "id"?: string;
          "kind": string;
          "last_error"?: Json | null;
          "name": string;
          "next_attempt_at"?: string;
          "settings": NonNullable<Json>;
          "state"?: string;
          "tenant_id": string;
          "updated_at"?: string;
        };
        Update: {
          "checkpoint_at"?: string;
          "created_at"?: string;
          "cursor_at"?: string | null;
          "cursor_seq"?: number;
          "delivered_at"?: string | null;
          "dropped_until"?: string | null;
          "enabled"?: boolean;
          "failures"?: number;
          "id"?: string;
          "kind"?: string;
          "last_error"?: Json | null;
          "name"?: string;
          "next_attempt_at"?: string;
          "settings"?: NonNullable<Json>;
          "state"?: string;
          "tenant_id"?: string;
          "updated_at"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "audit_sinks_tenant_id_fkey";
            columns: ["tenant_id"];
            isOneToOne: false;
            referencedRelation: "tenants";
            referencedColumns: ["id"];
          },
        ];
      };
      "custom_event_types": {
        Row: {
          "created_at": string;
          "description": string;
          "name": string;
          "schema": NonNullable<Json>;
          "tenant_id": string;
          "updated_at": string;
          "version": number;
        };
        ComputedFields: never;
        Insert: {
          "created_at"?: string;
          "description"?: string;
          "name": string;
          "schema": NonNullable<Json>;
          "tenant_id": string;
          "updated_at"?: string;
          "version"?: number;
        };
        Update: {
          "created_at"?: string;
          "description"?: string;
          "name"?: string;
          "schema"?: NonNullable<Json>;
          "tenant_id"?: string;
          "updated_at"?: string;
          "version"?: number;
        };
        Relationships: [
          {
            foreignKeyName: "custom_event_types_tenant_id_fkey";
            columns: ["tenant_id"];
            isOneToOne: false;
            referencedRelation: "tenants";
            referencedColumns: ["id"];
          },
        ];
      };
      "event_types": {
        Row: {
          "description": string;
          "example": NonNullable<Json>;
          "name": string;
          "schema": NonNullable<Json>;
          "version": number;
        };
        ComputedFields: never;
        Insert: {
          "description": string;
          "example": NonNullable<Json>;
          "name": string;
          "schema": NonNullable<Json>;
          "version"?: number;
        };
        Update: {
          "description"?: string;
          "example"?: NonNullable<Json>;
          "name"?: string;
          "schema"?: NonNullable<Json>;
          "version"?: number;
        };
        Relationships: [];
      };
      "legal_holds": {
        Row: {
          "id": string;
          "lifted_at": string | null;
          "placed_at": string;
          "reason": string;
          "tenant_id": string;
        };
        ComputedFields: never;
        Insert: {
          "id"?: string;
          "lifted_at"?: string | null;
          "placed_at"?: string;
          "reason": string;
          "tenant_id": string;
        };
        Update: {
          "id"?: string;
          "lifted_at"?: string | null;
          "placed_at"?: string;
          "reason"?: string;
          "tenant_id"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "legal_holds_tenant_id_fkey";
            columns: ["tenant_id"];
            isOneToOne: false;
            referencedRelation: "tenants";
            referencedColumns: ["id"];
          },
        ];
      };
      "providers": {
        Row: {
          "auto_creation": boolean;
          "auto_linking": string;
          "auto_update": boolean;
          "created_at": string;
          "creation_allowed": boolean;
          "credential_set_at": string | null;
          "domains": (string)[];
          "enabled": boolean;
          "endpoints": (string)[];
          "id": string;
          "idp_id": string | null;
          "kind": string;
          "last_error": Json | null;
          "linking_allowed": boolean;
          "name": string;
          "settings": NonNullable<Json>;
          "state": string;
          "tenant_id": string;
          "updated_at": string;
        };
        ComputedFields: never;
        Insert: {
          "auto_creation"?: boolean;
          "auto_linking"?: string;
          "auto_update"?: boolean;
          "created_at"?: string;
          "creation_allowed"?: boolean;
          "credential_set_at"?: string | null;
          "domains"?: (string)[];
          "enabled"?: boolean;
          "endpoints"?: (string)[];
          "id"?: string;
          "idp_id"?: string | null;
          "kind": string;
          "last_error"?: Json | null;
          "linking_allowed"?: boolean;
          "name": string;
          "settings"?: NonNullable<Json>;
          "state"?: string;
          "tenant_id": string;
          "updated_at"?: string;
        };
        Update: {
          "auto_creation"?: boolean;
          "auto_linking"?: string;
          "auto_update"?: boolean;
          "created_at"?: string;
          "creation_allowed"?: boolean;
          "credential_set_at"?: string | null;
          "domains"?: (string)[];
          "enabled"?: boolean;
          "endpoints"?: (string)[];
          "id"?: string;
          "idp_id"?: string | null;
          "kind"?: string;
          "last_error"?: Json | null;
          "linking_allowed"?: boolean;
          "name"?: string;
          "settings"?: NonNullable<Json>;
          "state"?: string;
          "tenant_id"?: string;
          "updated_at"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "providers_tenant_id_fkey";
            columns: ["tenant_id"];
            isOneToOne: false;
            referencedRelation: "tenants";
            referencedColumns: ["id"];
          },
        ];
      };
      "provisioning_steps": {
        Row: {
          "attempts": number;
          "external_id": string | null;
          "input_hash": string | null;
          "last_error": Json | null;
          "name": string;
          "position": number;
          "required": boolean;
          "settled_at": string | null;
          "started_at": string | null;
          "state": string;
          "tenant_id": string;
          "updated_at": string;
        };
        ComputedFields: never;
        Insert: {
          "attempts"?: number;
          "external_id"?: string | null;
          "input_hash"?: string | null;
          "last_error"?: Json | null;
          "name": string;
          "position": number;
          "required"?: boolean;
          "settled_at"?: string | null;
          "started_at"?: string | null;
          "state"?: string;
          "tenant_id": string;
          "updated_at"?: string;
        };
        Update: {
          "attempts"?: number;
          "external_id"?: string | null;
          "input_hash"?: string | null;
          "last_error"?: Json | null;
          "name"?: string;
          "position"?: number;
          "required"?: boolean;
          "settled_at"?: string | null;
          "started_at"?: string | null;
          "state"?: string;
          "tenant_id"?: string;
          "updated_at"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "provisioning_steps_tenant_id_fkey";
            columns: ["tenant_id"];
            isOneToOne: false;
            referencedRelation: "tenants";
            referencedColumns: ["id"];
          },
        ];
      };
      "rights": {
        Row: {
          "description": string;
          "key": string;
        };
        ComputedFields: never;
        Insert: {
          "description": string;
          "key": string;
        };
        Update: {
          "description"?: string;
          "key"?: string;
        };
        Relationships: [];
      };
      "role_rights": {
        Row: {
          "right_key": string;
          "role_key": string;
        };
        ComputedFields: never;
        Insert: {
          "right_key": string;
          "role_key": string;
        };
        Update: {
          "right_key"?: string;
          "role_key"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "role_rights_right_key_fkey";
            columns: ["right_key"];
            isOneToOne: false;
            referencedRelation: "rights";
            referencedColumns: ["key"];
          },
          {
            foreignKeyName: "role_rights_role_key_fkey";
            columns: ["role_key"];
            isOneToOne: false;
            referencedRelation: "roles";
            referencedColumns: ["key"];
          },
        ];
      };
      "roles": {
        Row: {
          "description": string;
          "key": string;
          "scope": string;
        };
        ComputedFields: never;
        Insert: {
          "description": string;
          "key": string;
          "scope": string;
        };
        Update: {
          "description"?: string;
          "key"?: string;
          "scope"?: string;
        };
        Relationships: [];
      };
      "service_accounts": {
        Row: {
          "created_at": string;
          "enabled": boolean;
          "id": string;
          "issuer": string | null;
          "name": string;
          "subject": string | null;
          "tenant_id": string;
          "updated_at": string;
        };
        ComputedFields: never;
        Insert: {
          "created_at"?: string;
          "enabled"?: boolean;
          "id"?: string;
          "issuer"?: string | null;
          "name": string;
          "subject"?: string | null;
          "tenant_id": string;
          "updated_at"?: string;
        };
        Update: {
          "created_at"?: string;
          "enabled"?: boolean;
          "id"?: string;
          "issuer"?: string | null;
          "name"?: string;
          "subject"?: string | null;
          "tenant_id"?: string;
          "updated_at"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "service_accounts_tenant_id_fkey";
            columns: ["tenant_id"];
            isOneToOne: false;
            referencedRelation: "tenants";
            referencedColumns: ["id"];
          },
        ];
      };
      "settings": {
        Row: {
          "key": string;
          "updated_at": string;
          "value": NonNullable<Json>;
        };
        ComputedFields: never;
        Insert: {
          "key": string;
          "updated_at"?: string;
          "value": NonNullable<Json>;
        };
        Update: {
          "key"?: string;
          "updated_at"?: string;
          "value"?: NonNullable<Json>;
        };
        Relationships: [];
      };
      "sign_in_sessions": {
        Row: {
          "auth_methods": (string)[];
          "client_id": string;
          "ended_at": string | null;
          "id": string;
          "signed_in_at": string;
          "tenant_id": string;
          "user_id": string;
        };
        ComputedFields: never;
        Insert: {
          "auth_methods"?: (string)[];
          "client_id": string;
          "ended_at"?: string | null;
          "id": string;
          "signed_in_at": string;
          "tenant_id": string;
          "user_id": string;
        };
        Update: {
          "auth_methods"?: (string)[];
          "client_id"?: string;
          "ended_at"?: string | null;
          "id"?: string;
          "signed_in_at"?: string;
          "tenant_id"?: string;
          "user_id"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "sign_in_sessions_tenant_id_fkey";
            columns: ["tenant_id"];
            isOneToOne: false;
            referencedRelation: "tenants";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "sign_in_sessions_user_id_fkey";
            columns: ["user_id"];
            isOneToOne: false;
            referencedRelation: "users";
            referencedColumns: ["id"];
          },
        ];
      };
      "subscriptions": {
        Row: {
          "created_at": string;
          "ends_at": string | null;
          "id": string;
          "plan": string;
          "starts_at": string;
          "tenant_id": string;
          "updated_at": string;
        };
        ComputedFields: never;
        Insert: {
          "created_at"?: string;
          "ends_at"?: string | null;
          "id"?: string;
          "plan": string;
          "starts_at"?: string;
          "tenant_id": string;
          "updated_at"?: string;
        };
        Update: {
          "created_at"?: string;
          "ends_at"?: string | null;
          "id"?: string;
          "plan"?: string;
          "starts_at"?: string;
          "tenant_id"?: string;
          "updated_at"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "subscriptions_tenant_id_fkey";
            columns: ["tenant_id"];
            isOneToOne: false;
            referencedRelation: "tenants";
            referencedColumns: ["id"];
          },
        ];
      };
      "tenant_domains": {
        Row: {
          "created_at": string;
          "id": string;
          "name": string;
          "tenant_id": string;
          "updated_at": string;
          "verification": string;
          "verification_token": string;
          "verified_at": string | null;
        };
        ComputedFields: never;
        Insert: {
          "created_at"?: string;
          "id"?: string;
          "name": string;
          "tenant_id": string;
          "updated_at"?: string;
          "verification"?: string;
          "verification_token"?: string;
          "verified_at"?: string | null;
        };
        Update: {
          "created_at"?: string;
          "id"?: string;
          "name"?: string;
          "tenant_id"?: string;
          "updated_at"?: string;
          "verification"?: string;
          "verification_token"?: string;
          "verified_at"?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "tenant_domains_tenant_id_fkey";
            columns: ["tenant_id"];
            isOneToOne: false;
            referencedRelation: "tenants";
            referencedColumns: ["id"];
          },
        ];
      };
      "tenants": {
        Row: {
          "activated_at": string | null;
          "admin_email": string | null;
          "admin_family_name": string | null;
          "admin_given_name": string | null;
          "branding": NonNullable<Json>;
          "created_at": string;
          "id": string;
          "kind": string;
          "login_domain": string | null;
          "name": string;
          "organization_id": string | null;
          "personal_retention_days": number | null;
          "plan": string;
          "project_id": string | null;
          "slug": string;
          "status": string;
          "updated_at": string;
        };
        ComputedFields: never;
        Insert: {
          "activated_at"?: string | null;
          "admin_email"?: string | null;
          "admin_family_name"?: string | null;
          "admin_given_name"?: string | null;
          "branding"?: NonNullable<Json>;
          "created_at"?: string;
          "id"?: string;
          "kind"?: string;
          "login_domain"?: string | null;
          "name": string;
          "organization_id"?: string | null;
          "personal_retention_days"?: number | null;
          "plan"?: string;
          "project_id"?: string | null;
          "slug": string;
          "status"?: string;
          "updated_at"?: string;
        };
        Update: {
          "activated_at"?: string | null;
          "admin_email"?: string | null;
          "admin_family_name"?: string | null;
          "admin_given_name"?: string | null;
          "branding"?: NonNullable<Json>;
          "created_at"?: string;
          "id"?: string;
          "kind"?: string;
          "login_domain"?: string | null;
          "name"?: string;
          "organization_id"?: string | null;
          "personal_retention_days"?: number | null;
          "plan"?: string;
          "project_id"?: string | null;
          "slug"?: string;
          "status"?: string;
          "updated_at"?: string;
        };
        Relationships: [];
      };
      "users": {
        Row: {
          "created_at": string;
          "display_name": string | null;
          "email": string | null;
          "email_verified": boolean;
          "erased_at": string | null;
          "family_name": string | null;
          "given_name": string | null;
          "home_tenant_id": string | null;
          "id": string;
          "issuer": string;
          "last_seen_at": string | null;
          "login_name": string | null;
          "preferred_language": string | null;
          "state": string;
          "subject": string;
          "tokens_valid_after": string;
          "updated_at": string;
          "zitadel_sequence": number;
        };
        ComputedFields: never;
        Insert: {
          "created_at"?: string;
          "display_name"?: string | null;
          "email"?: string | null;
          "email_verified"?: boolean;
          "erased_at"?: string | null;
          "family_name"?: string | null;
          "given_name"?: string | null;
          "home_tenant_id"?: string | null;
          "id"?: string;
          "issuer": string;
          "last_seen_at"?: string | null;
          "login_name"?: string | null;
          "preferred_language"?: string | null;
          "state"?: string;
          "subject": string;
          "tokens_valid_after"?: string;
          "updated_at"?: string;
          "zitadel_sequence"?: number;
        };
        Update: {
          "created_at"?: string;
          "display_name"?: string | null;
          "email"?: string | null;
          "email_verified"?: boolean;
          "erased_at"?: string | null;
          "family_name"?: string | null;
          "given_name"?: string | null;
          "home_tenant_id"?: string | null;
          "id"?: string;
          "issuer"?: string;
          "last_seen_at"?: string | null;
          "login_name"?: string | null;
          "preferred_language"?: string | null;
          "state"?: string;
          "subject"?: string;
          "tokens_valid_after"?: string;
          "updated_at"?: string;
          "zitadel_sequence"?: number;
        };
        Relationships: [
          {
            foreignKeyName: "users_home_tenant_id_fkey";
            columns: ["home_tenant_id"];
            isOneToOne: false;
            referencedRelation: "tenants";
            referencedColumns: ["id"];
          },
        ];
      };
      "webhook_attempts": {
        Row: {
          "delivery_id": string;
          "duration_ms": number;
          "error_class": string | null;
          "number": number;
          "response_body": string | null;
          "response_headers": Json | null;
          "started_at": string;
          "status": number | null;
          "tenant_id": string;
        };
        ComputedFields: never;
        Insert: {
          "delivery_id": string;
          "duration_ms": number;
          "error_class"?: string | null;
          "number": number;
          "response_body"?: string | null;
          "response_headers"?: Json | null;
          "started_at": string;
          "status"?: number | null;
          "tenant_id": string;
        };
        Update: {
          "delivery_id"?: string;
          "duration_ms"?: number;
          "error_class"?: string | null;
          "number"?: number;
          "response_body"?: string | null;
          "response_headers"?: Json | null;
          "started_at"?: string;
          "status"?: number | null;
          "tenant_id"?: string;
        };
        Relationships: [];
      };
      "webhook_deliveries": {
        Row: {
          "attempts": number;
          "created_at": string;
          "endpoint_id": string;
          "event_id": string;
          "event_recorded_at": string;
          "event_type": string;
          "id": string;
          "next_attempt_at": string;
          "ordering_key": string | null;
          "replayed_as": string | null;
          "settled_at": string | null;
          "state": string;
          "tenant_id": string;
          "webhook_attempts": {
            "delivery_id": string;
            "duration_ms": number;
            "error_class": string | null;
            "number": number;
            "response_body": string | null;
            "response_headers": Json | null;
            "started_at": string;
            "status": number | null;
            "tenant_id": string;
          } | null;
        };
        ComputedFields: "webhook_attempts";
        Insert: {
          "attempts"?: number;
          "created_at"?: string;
          "endpoint_id": string;
          "event_id": string;
          "event_recorded_at": string;
          "event_type": string;
          "id"?: string;
          "next_attempt_at"?: string;
          "ordering_key"?: string | null;
          "replayed_as"?: string | null;
          "settled_at"?: string | null;
          "state"?: string;
          "tenant_id": string;
        };
        Update: {
          "attempts"?: number;
          "created_at"?: string;
          "endpoint_id"?: string;
          "event_id"?: string;
          "event_recorded_at"?: string;
          "event_type"?: string;
          "id"?: string;
          "next_attempt_at"?: string;
          "ordering_key"?: string | null;
          "replayed_as"?: string | null;
          "settled_at"?: string | null;
          "state"?: string;
          "tenant_id"?: string;
        };
        Relationships: [];
      };
      "webhook_endpoint_states": {
        Row: {
          "barrier_at": string | null;
          "barrier_xid": unknown;
          "circuit": string;
          "complete_until": string | null;
          "endpoint_id": string;
          "failures_in_a_row": number;
          "first_failure_at": string | null;
          "last_success_at": string | null;
          "look_again_after": string | null;
          "next_slot_at": string | null;
          "opened": number;
          "pump": string | null;
          "pump_until": string | null;
          "tenant_id": string;
        };
        ComputedFields: never;
        Insert: {
          "barrier_at"?: string | null;
          "barrier_xid"?: unknown;
          "circuit"?: string;
          "complete_until"?: string | null;
          "endpoint_id": string;
          "failures_in_a_row"?: number;
          "first_failure_at"?: string | null;
          "last_success_at"?: string | null;
          "look_again_after"?: string | null;
          "next_slot_at"?: string | null;
          "opened"?: number;
          "pump"?: string | null;
          "pump_until"?: string | null;
          "tenant_id": string;
        };
        Update: {
          "barrier_at"?: string | null;
          "barrier_xid"?: unknown;
          "circuit"?: string;
          "complete_until"?: string | null;
          "endpoint_id"?: string;
          "failures_in_a_row"?: number;
          "first_failure_at"?: string | null;
          "last_success_at"?: string | null;
          "look_again_after"?: string | null;
          "next_slot_at"?: string | null;
          "opened"?: number;
          "pump"?: string | null;
          "pump_until"?: string | null;
          "tenant_id"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "webhook_endpoint_states_tenant_id_endpoint_id_fkey";
            columns: ["tenant_id", "endpoint_id"];
            isOneToOne: true;
            referencedRelation: "webhook_endpoint_statistics";
            referencedColumns: ["tenant_id", "endpoint_id"];
          },
          {
            foreignKeyName: "webhook_endpoint_states_tenant_id_endpoint_id_fkey";
            columns: ["tenant_id", "endpoint_id"];
            isOneToOne: true;
            referencedRelation: "webhook_endpoints";
            referencedColumns: ["tenant_id", "id"];
          },
        ];
      };
      "webhook_endpoints": {
        Row: {
          "created_at": string;
          "description": string;
          "disabled_reason": string | null;
          "enabled": boolean;
          "event_types": (string)[] | null;
          "header_names": (string)[];
          "id": string;
          "ordering": string;
          "paused_until": string | null;
          "payload_filter": string | null;
          "public_key": string | null;
          "rate_per_second": number | null;
          "removed_at": string | null;
          "retry_schedule": (number)[];
          "signature_scheme": string;
          "since_at": string;
          "tenant_id": string;
          "updated_at": string;
          "url": string;
        };
        ComputedFields: never;
        Insert: {
          "created_at"?: string;
          "description"?: string;
          "disabled_reason"?: string | null;
          "enabled"?: boolean;
          "event_types"?: (string)[] | null;
          "header_names"?: (string)[];
          "id"?: string;
          "ordering"?: string;
          "paused_until"?: string | null;
          "payload_filter"?: string | null;
          "public_key"?: string | null;
          "rate_per_second"?: number | null;
          "removed_at"?: string | null;
          "retry_schedule"?: (number)[];
          "signature_scheme"?: string;
          "since_at"?: string;
          "tenant_id": string;
          "updated_at"?: string;
          "url": string;
        };
        Update: {
          "created_at"?: string;
          "description"?: string;
          "disabled_reason"?: string | null;
          "enabled"?: boolean;
          "event_types"?: (string)[] | null;
          "header_names"?: (string)[];
          "id"?: string;
          "ordering"?: string;
          "paused_until"?: string | null;
          "payload_filter"?: string | null;
          "public_key"?: string | null;
          "rate_per_second"?: number | null;
          "removed_at"?: string | null;
          "retry_schedule"?: (number)[];
          "signature_scheme"?: string;
          "since_at"?: string;
          "tenant_id"?: string;
          "updated_at"?: string;
          "url"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "webhook_endpoints_tenant_id_fkey";
            columns: ["tenant_id"];
            isOneToOne: false;
            referencedRelation: "tenants";
            referencedColumns: ["id"];
          },
        ];
      };
      "widget_config_versions": {
        Row: {
          "body": string;
          "config_id": string;
          "hash": string;
          "logo_hash": string | null;
          "number": number;
          "published_at": string;
          "published_by": NonNullable<Json>;
          "restores": number | null;
          "tenant_id": string;
        };
        ComputedFields: never;
        Insert: {
          "body": string;
          "config_id": string;
          "hash": string;
          "logo_hash"?: string | null;
          "number": number;
          "published_at"?: string;
          "published_by": NonNullable<Json>;
          "restores"?: number | null;
          "tenant_id": string;
        };
        Update: {
          "body"?: string;
          "config_id"?: string;
          "hash"?: string;
          "logo_hash"?: string | null;
          "number"?: number;
          "published_at"?: string;
          "published_by"?: NonNullable<Json>;
          "restores"?: number | null;
          "tenant_id"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "widget_config_versions_tenant_id_config_id_fkey";
            columns: ["tenant_id", "config_id"];
            isOneToOne: false;
            referencedRelation: "widget_configs";
            referencedColumns: ["tenant_id", "id"];
          },
          {
            foreignKeyName: "widget_config_versions_tenant_id_logo_hash_fkey";
            columns: ["tenant_id", "logo_hash"];
            isOneToOne: false;
            referencedRelation: "widget_logos";
            referencedColumns: ["tenant_id", "hash"];
          },
        ];
      };
      "widget_configs": {
        Row: {
          "app_id": string | null;
          "created_at": string;
          "flows": NonNullable<Json>;
          "id": string;
          "languages": (string)[];
          "layout": string;
          "logo_hash": string | null;
          "privacy_url": string | null;
          "tenant_id": string;
          "terms_url": string | null;
          "texts": NonNullable<Json>;
          "theme": NonNullable<Json>;
          "updated_at": string;
        };
        ComputedFields: never;
        Insert: {
          "app_id"?: string | null;
          "created_at"?: string;
          "flows"?: NonNullable<Json>;
          "id"?: string;
          "languages"?: (string)[];
          "layout"?: string;
          "logo_hash"?: string | null;
          "privacy_url"?: string | null;
          "tenant_id": string;
          "terms_url"?: string | null;
          "texts"?: NonNullable<Json>;
          "theme"?: NonNullable<Json>;
          "updated_at"?: string;
        };
        Update: {
          "app_id"?: string | null;
          "created_at"?: string;
          "flows"?: NonNullable<Json>;
          "id"?: string;
          "languages"?: (string)[];
          "layout"?: string;
          "logo_hash"?: string | null;
          "privacy_url"?: string | null;
          "tenant_id"?: string;
          "terms_url"?: string | null;
          "texts"?: NonNullable<Json>;
          "theme"?: NonNullable<Json>;
          "updated_at"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "widget_config_app_unknown";
            columns: ["tenant_id", "app_id"];
            isOneToOne: true;
            referencedRelation: "apps";
            referencedColumns: ["tenant_id", "id"];
          },
          {
            foreignKeyName: "widget_config_logo_unknown";
            columns: ["tenant_id", "logo_hash"];
            isOneToOne: false;
            referencedRelation: "widget_logos";
            referencedColumns: ["tenant_id", "hash"];
          },
          {
            foreignKeyName: "widget_configs_tenant_id_fkey";
            columns: ["tenant_id"];
            isOneToOne: false;
            referencedRelation: "tenants";
            referencedColumns: ["id"];
          },
        ];
      };
      "widget_logos": {
        Row: {
          "bytes": string;
          "created_at": string;
          "hash": string;
          "size_bytes": number;
          "tenant_id": string;
          "type": string;
        };
        ComputedFields: never;
        Insert: {
          "bytes": string;
          "created_at"?: string;
          "hash": string;
          "size_bytes"?: never;
          "tenant_id": string;
          "type": string;
        };
        Update: {
          "bytes"?: string;
          "created_at"?: string;
          "hash"?: string;
          "size_bytes"?: never;
          "tenant_id"?: string;
          "type"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "widget_logos_tenant_id_fkey";
            columns: ["tenant_id"];
            isOneToOne: false;
            referencedRelation: "tenants";
            referencedColumns: ["id"];
          },
        ];
      };
    };
    Views: {
      "dead_letters": {
        Row: {
          "attempts": number;
          "endpoint_id": string;
          "event_id": string;
          "event_recorded_at": string;
          "event_type": string;
          "id": string;
          "last_result": string | null;
          "settled_at": string | null;
          "tenant_id": string;
        };
        ComputedFields: never;
        Insert: {
          "attempts"?: number | null;
          "endpoint_id"?: string | null;
          "event_id"?: string | null;
          "event_recorded_at"?: string | null;
          "event_type"?: string | null;
          "id"?: string | null;
          "last_result"?: never;
          "settled_at"?: string | null;
          "tenant_id"?: string | null;
        };
        Update: {
          "attempts"?: number | null;
          "endpoint_id"?: string | null;
          "event_id"?: string | null;
          "event_recorded_at"?: string | null;
          "event_type"?: string | null;
          "id"?: string | null;
          "last_result"?: never;
          "settled_at"?: string | null;
          "tenant_id"?: string | null;
        };
        Relationships: [];
      };
      "webhook_attempt_log": {
        Row: {
          "delivery_id": string;
          "duration_ms": number;
          "endpoint_id": string;
          "error_class": string | null;
          "event_id": string;
          "event_type": string;
          "failed": boolean | null;
          "number": number;
          "response_body": string | null;
          "response_headers": Json | null;
          "started_at": string;
          "status": number | null;
          "tenant_id": string;
        };
        ComputedFields: never;
        Relationships: [];
      };
      "webhook_endpoint_statistics": {
        Row: {
          "attempts": number | null;
          "dead": number | null;
          "endpoint_id": string;
          "last_success_at": string | null;
          "p50_ms": number | null;
          "p95_ms": number | null;
          "period": string | null;
          "succeeded": number | null;
          "success_rate": number | null;
          "tenant_id": string;
          "waiting": number | null;
        };
        ComputedFields: never;
        Relationships: [
          {
            foreignKeyName: "webhook_endpoints_tenant_id_fkey";
            columns: ["tenant_id"];
            isOneToOne: false;
            referencedRelation: "tenants";
            referencedColumns: ["id"];
          },
        ];
      };
    };
    Functions: {
      "archive_tenant": {
        Args: { "tenant_id": string };
        Returns: {
          "activated_at": string | null;
          "admin_email": string | null;
          "admin_family_name": string | null;
          "admin_given_name": string | null;
          "branding": NonNullable<Json>;
          "created_at": string;
          "id": string;
          "kind": string;
          "login_domain": string | null;
          "name": string;
          "organization_id": string | null;
          "personal_retention_days": number | null;
          "plan": string;
          "project_id": string | null;
          "slug": string;
          "status": string;
          "updated_at": string;
        };
        SetofOptions: {
          from: "*";
          to: "tenants";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "audit_lag": { Args: Record<PropertyKey, never>; Returns: Json };
      "check_widget_theme": {
        Args: { "theme": Json };
        Returns: {
          "front": string;
          "ground": string;
          "needed": number;
          "passes": boolean;
          "ratio": number;
          "scheme": string;
        }[];
      };
      "create_tenant": {
        Args: { "admin"?: Json; "app"?: Json; "name": string; "plan"?: string; "slug": string };
        Returns: {
          "activated_at": string | null;
          "admin_email": string | null;
          "admin_family_name": string | null;
          "admin_given_name": string | null;
          "branding": NonNullable<Json>;
          "created_at": string;
          "id": string;
          "kind": string;
          "login_domain": string | null;
          "name": string;
          "organization_id": string | null;
          "personal_retention_days": number | null;
          "plan": string;
          "project_id": string | null;
          "slug": string;
          "status": string;
          "updated_at": string;
        };
        SetofOptions: {
          from: "*";
          to: "tenants";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "egress_allowlist": {
        Args: Record<PropertyKey, never>;
        Returns: {
          "caller": string;
          "host": string;
          "port": number;
          "reason": string;
          "scheme": string;
        }[];
      };
      "erase_person": { Args: { "user_id": string }; Returns: number };
      "export_person": { Args: { "user_id": string }; Returns: Json };
      "lift_legal_hold": {
        Args: { "tenant_id": string };
        Returns: {
          "id": string;
          "lifted_at": string | null;
          "placed_at": string;
          "reason": string;
          "tenant_id": string;
        };
        SetofOptions: {
          from: "*";
          to: "legal_holds";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "list_events": {
        Args: { "after_seq"?: number; "limit"?: number; "tenant_id": string; "types"?: (string)[] };
        Returns: {
          "actor": Json;
          "context": Json;
          "data": Json;
          "id": string;
          "occurred_at": string;
          "recorded_at": string;
          "seq": number;
          "targets": Json;
          "type": string;
          "version": number;
        }[];
      };
      "personal_values": {
        Args: {
          "event": Omit<
            Database["public"]["Tables"]["audit_events"]["Row"],
            Database["public"]["Tables"]["audit_events"]["ComputedFields"]
          >;
        };
        Returns: Json;
      };
      "place_legal_hold": {
        Args: { "reason": string; "tenant_id": string };
        Returns: {
          "id": string;
          "lifted_at": string | null;
          "placed_at": string;
          "reason": string;
          "tenant_id": string;
        };
        SetofOptions: {
          from: "*";
          to: "legal_holds";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "publish_widget_config": {
        Args: { "config_id": string; "tenant_id": string };
        Returns: {
          "body": string;
          "config_id": string;
          "hash": string;
          "logo_hash": string | null;
          "number": number;
          "published_at": string;
          "published_by": NonNullable<Json>;
          "restores": number | null;
          "tenant_id": string;
        };
        SetofOptions: {
          from: "*";
          to: "widget_config_versions";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "reconcile_tenant": { Args: { "tenant_id": string }; Returns: undefined };
      "replay_deliveries": {
        Args: {
          "dry_run"?: boolean;
          "endpoint_id": string;
          "since"?: string;
          "states"?: (string)[];
          "tenant_id": string;
          "types"?: (string)[];
          "until"?: string;
        };
        Returns: number;
      };
      "replay_delivery": { Args: { "delivery_id": string; "tenant_id": string }; Returns: string };
      "replay_missed": {
        Args: { "dry_run"?: boolean; "endpoint_id": string; "since": string; "tenant_id": string };
        Returns: number;
      };
      "request_audit_export": {
        Args: {
          "actor_id"?: string;
          "format"?: string;
          "since"?: string;
          "target_id"?: string;
          "tenant_id": string;
          "types"?: (string)[];
          "until"?: string;
        };
        Returns: {
          "actor_id": string | null;
          "complete": boolean | null;
          "created_at": string;
          "expires_at": string | null;
          "failures": number;
          "finished_at": string | null;
          "format": string;
          "id": string;
          "last_error": Json | null;
          "records_done": number;
          "records_total": number | null;
          "requested_by": NonNullable<Json>;
          "sha256": string | null;
          "since_at": string | null;
          "size_bytes": number | null;
          "started_at": string | null;
          "state": string;
          "target_id": string | null;
          "tenant_id": string;
          "types": (string)[] | null;
          "until_at": string | null;
          "updated_at": string;
        };
        SetofOptions: {
          from: "*";
          to: "audit_exports";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "resume_endpoint": { Args: { "endpoint_id": string; "tenant_id": string }; Returns: number };
      "resume_tenant": {
        Args: { "tenant_id": string };
        Returns: {
          "activated_at": string | null;
          "admin_email": string | null;
          "admin_family_name": string | null;
          "admin_given_name": string | null;
          "branding": NonNullable<Json>;
          "created_at": string;
          "id": string;
          "kind": string;
          "login_domain": string | null;
          "name": string;
          "organization_id": string | null;
          "personal_retention_days": number | null;
          "plan": string;
          "project_id": string | null;
          "slug": string;
          "status": string;
          "updated_at": string;
        };
        SetofOptions: {
          from: "*";
          to: "tenants";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "revert_widget_config": {
        Args: { "config_id": string; "number": number; "tenant_id": string };
        Returns: {
          "body": string;
          "config_id": string;
          "hash": string;
          "logo_hash": string | null;
          "number": number;
          "published_at": string;
          "published_by": NonNullable<Json>;
          "restores": number | null;
          "tenant_id": string;
        };
        SetofOptions: {
          from: "*";
          to: "widget_config_versions";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "rewind_audit_sink": {
        Args: { "from": string; "id": string; "tenant_id": string };
        Returns: Json;
      };
      "sign_out_everywhere": { Args: { "user_id"?: string }; Returns: undefined };
      "sink_lag": {
        Args: {
          "sink": Omit<
            Database["public"]["Tables"]["audit_sinks"]["Row"],
            Database["public"]["Tables"]["audit_sinks"]["ComputedFields"]
          >;
        };
        Returns: Json;
      };
      "skip_audit_sink_event": {
        Args: { "id": string; "seq": number; "tenant_id": string };
        Returns: Json;
      };
      "start_session": { Args: Record<PropertyKey, never>; Returns: string };
      "suspend_tenant": {
        Args: { "tenant_id": string };
        Returns: {
          "activated_at": string | null;
          "admin_email": string | null;
          "admin_family_name": string | null;
          "admin_given_name": string | null;
          "branding": NonNullable<Json>;
          "created_at": string;
          "id": string;
          "kind": string;
          "login_domain": string | null;
          "name": string;
          "organization_id": string | null;
          "personal_retention_days": number | null;
          "plan": string;
          "project_id": string | null;
          "slug": string;
          "status": string;
          "updated_at": string;
        };
        SetofOptions: {
          from: "*";
          to: "tenants";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "verify_audit": {
        Args: { "from_seq"?: number; "tenant_id": string; "to_seq"?: number };
        Returns: {
          "event_id": string;
          "leaf_index": number;
          "problem": string;
          "seq": number;
        }[];
      };
      "webhook_attempts": {
        Args: {
          "delivery": Omit<
            Database["public"]["Tables"]["webhook_deliveries"]["Row"],
            Database["public"]["Tables"]["webhook_deliveries"]["ComputedFields"]
          >;
        };
        Returns: {
          "delivery_id": string;
          "duration_ms": number;
          "error_class": string | null;
          "number": number;
          "response_body": string | null;
          "response_headers": Json | null;
          "started_at": string;
          "status": number | null;
          "tenant_id": string;
        }[];
        SetofOptions: {
          from: "webhook_deliveries";
          to: "webhook_attempts";
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      "webhook_statistics": {
        Args: { "endpoint_id"?: string; "since"?: string; "tenant_id": string; "until"?: string };
        Returns: {
          "attempts": number;
          "day": string;
          "endpoint": string;
          "p50_ms": number;
          "p95_ms": number;
          "succeeded": number;
          "success_rate": number;
        }[];
      };
      "whoami": { Args: Record<PropertyKey, never>; Returns: Json };
    };
    Enums: {
      [_ in never]: never;
    };
    CompositeTypes: {
      [_ in never]: never;
    };
  };
};

type DatabaseWithoutInternals = Omit<Database, "__InternalSupabase">;

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "public">];

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof (
      & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
      & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"]
    )
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals } ? (
    & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"]
  )[TableName] extends {
    Row: infer R;
  } ? R
  : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    ? (DefaultSchema["Tables"] & DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
      Row: infer R;
    } ? R
    : never
  : never;

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends
    {
      Insert: infer I;
    } ? I
  : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Insert: infer I;
    } ? I
    : never
  : never;

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends
    {
      Update: infer U;
    } ? U
  : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Update: infer U;
    } ? U
    : never
  : never;

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never = never,
> = DefaultSchemaEnumNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
    ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
  : never;

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never = never,
> = PublicCompositeTypeNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][
    CompositeTypeName
  ]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
    ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
  : never;

export const Constants = {
  "public": {
    Enums: {},
  },
} as const;

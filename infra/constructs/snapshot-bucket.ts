/**
 * The bucket of a control region: snapshots, archived log segments, run reports.
 *
 * Objects are written once. Versioning keeps what an accident overwrites or deletes, a lifecycle rule
 * ends that after a while, and only TLS is spoken. The bucket outlives the stack.
 */
import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { bucketName } from '../../lib/config/names.ts';
import type { Settings } from '../settings.ts';

const REPLACED_VERSIONS_KEPT_DAYS = 30;
const UNFINISHED_UPLOADS_KEPT_DAYS = 1;
/** A yearly audit finds all of them. */
const REPORTS_KEPT_DAYS = 400;

export class SnapshotBucket extends Construct {
  readonly bucketName: string;

  constructor(
    scope: Construct,
    id: string,
    props: { readonly settings: Settings; readonly region: string },
  ) {
    super(scope, id);
    const { clusterId, account, disposable } = props.settings;
    this.bucketName = bucketName(clusterId, account, props.region);
    const bucket = new Bucket(this, 'Bucket', {
      bucketName: this.bucketName,
      versioned: true,
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      lifecycleRules: [
        {
          id: 'replaced-versions',
          noncurrentVersionExpiration: Duration.days(REPLACED_VERSIONS_KEPT_DAYS),
          expiredObjectDeleteMarker: true,
        },
        {
          id: 'reports',
          prefix: 'reports/',
          expiration: Duration.days(REPORTS_KEPT_DAYS),
        },
        {
          id: 'unfinished-uploads',
          abortIncompleteMultipartUploadAfter: Duration.days(UNFINISHED_UPLOADS_KEPT_DAYS),
        },
      ],
      removalPolicy: disposable ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
    });
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions::AwsSolutions-S1',
      reason:
        'Access logs would need a bucket of their own; manifests are hash-chained, so a change shows.',
    });
  }
}
